//! How the programs end.

use super::entries;

entries! { Exit,
    EXIT_DONE = "exit-0",
        "Done, or done before: a repeat that finds what it would bring about (`rotorctl pause`, `resume`, `retire`, `move`, `credential grant`) says so. Of `rotorctl doctor` and `connection check`: nothing is a problem, though there may be warnings. Of rotord: it stopped as asked.",
        "It goes on with what it does.",
        "Nothing needs to be done.";
    EXIT_FAILED = "exit-1",
        "It was tried and failed, what was named is not there, or something else is in its way, such as a run that is under way already; the message says why. Of rotord: trying again may help.",
        "The service manager starts rotord again after two seconds.",
        "Do what the message and its hints say.";
    EXIT_NOT_DUE = "exit-3",
        "The rotation is not due, so `rotorctl rotate --if-due` did nothing, however often it is asked.",
        "It rotates by itself when it is due.",
        "Nothing needs to be done.";
    EXIT_ATTENTION = "exit-4",
        "It was done, and a person should look at something: `rotorctl status`, `show`, `doctor` or `connection check` found a problem.",
        "It leaves alone what is in doubt and goes on with everything else.",
        "Look at what the output marks as a problem.";
    EXIT_USAGE = "exit-64",
        "The command was typed wrongly or leaves something open, a value or a file that was given is not of its kind, or something is to be confirmed and nobody can be asked. Nothing was done. A name that is right and of nothing that is there ends with 1.",
        "It was not asked for anything, or refused it whole.",
        "See `rotorctl COMMAND --help`.";
    EXIT_SETTINGS = "exit-78",
        "The settings or the state can't be used: the message names the file and the line, or the key.",
        "The service manager does not start rotord again, for that would not help.",
        "Correct what the message names; `rotord --check` reads the settings without starting.";
}
