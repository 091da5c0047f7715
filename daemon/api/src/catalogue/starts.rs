//! Why the daemon does not start.

use super::entries;

entries! { Start,
    SETTINGS_UNREADABLE = "settings-unreadable",
        "The settings file that was named can't be read.",
        "At the start it ends with 78 before it touches anything; told to read them anew, it keeps those of before.",
        "See that the file is there and that the user rotord may read it.";
    SETTINGS_WRONG = "settings-wrong",
        "The settings hold a key or a value that is none.",
        "At the start it ends with 78 before it touches anything; told to read them anew, it keeps those of before.",
        "Correct the line that the message names; `rotord --check` reads them without starting.";
    STATE_DIRECTORY = "state-directory",
        "The state directory can't be made, read or written.",
        "It ends with 78.",
        "See that it is there and belongs to the user rotord with mode 0700: `sudo systemd-tmpfiles --create` and StateDirectory= of the unit make it so.";
    STATE_LOCKED = "state-locked",
        "Another daemon works on the same state directory.",
        "It ends with 1, and the service manager tries again. The other goes on undisturbed.",
        "Stop one of the two: the message names the other's process.";
    ROOT_KEY_MISSING = "root-key-missing",
        "The root key is not there, and a database that was sealed under it is.",
        "It ends with 78. A new key is never made beside a database: it would open nothing.",
        "Put the key back from where you keep it. Where it was sealed as a systemd credential, see that the unit has it: `systemctl cat rotord` and `rotorctl root-key seal --dry-run`.";
    ROOT_KEY_UNUSABLE = "root-key-unusable",
        "The root key can't be read, is open to others, or is too short.",
        "It ends with 78.",
        "Do what the message says, such as `chmod 0600` on the file.";
    ROOT_KEY_WRONG = "root-key-wrong",
        "The root key is not the one under which the database was sealed.",
        "It ends with 78 and changes nothing.",
        "Give it the key whose label the message names. After `rotorctl root-key rewrap` the old one opens it until the first start with the new one, and no longer.";
    DATABASE_DAMAGED = "database-damaged",
        "The database is damaged, or no database at all.",
        "It ends with 78 and leaves the file as it is.",
        "Keep the file, and put a backup in its place. After that, lost answers are reported and not removed until you have looked.";
    DATABASE_FOREIGN = "database-foreign",
        "The file in the database's place is another program's.",
        "It ends with 78 and leaves the file as it is.",
        "See what the file is, or name another state directory.";
    DATABASE_NEWER = "database-newer",
        "A newer rotord wrote the database.",
        "It ends with 78 and changes nothing.",
        "Install the newer rotord again.";
    DATABASE_CLOSED = "database-closed",
        "The database can't be opened or read.",
        "It ends, with 78 where trying again does not help.",
        "See the message's cause: the disk, or the rights on the file.";
    CACHE_KEY = "cache-key",
        "The key of the providers' cache can't be read or made.",
        "It ends with 78.",
        "See the rights on cache.key in the state directory. It may be deleted: it is made anew.";
    PROVIDER_HOST = "provider-host",
        "The part that runs providers can't be set up, such as for a file of certificate authorities that can't be used.",
        "It ends with 78.",
        "Correct the setting that the message names.";
    SOCKET_IN_USE = "socket-in-use",
        "Another daemon listens on the socket.",
        "It ends with 1 and leaves the socket to the other.",
        "Stop one of the two, or give one another socket in its settings.";
    SOCKET_PLACE = "socket-place",
        "The socket can't be made: its directory is missing or not writable, something else is there, or its group does not exist.",
        "It ends with 1, and the service manager tries again.",
        "Do what the message says; `sudo systemd-sysusers && sudo systemd-tmpfiles --create` makes user, group and directory.";
    START_FAILED = "start-failed",
        "The system refused something that a start needs.",
        "It ends with 1, and the service manager tries again.",
        "See the message's cause and the daemon's log.";
}
