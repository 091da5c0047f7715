//! Findings about this host: the process, its files, its sockets, its disk, its settings.

use super::entries;

entries! { Finding,
    DAEMON_UNREACHABLE = "daemon-unreachable",
        "No daemon answers on the admin socket: it does not run, or it listens elsewhere.",
        "Nothing rotates while it does not run. A run that was under way goes on by itself at the next start.",
        "See why with `systemctl status rotord` and `journalctl -u rotord`, and start it: `sudo systemctl start rotord`. If it listens elsewhere, name its socket with --socket or ROTORD_SOCKET.";
    SOCKET_DENIED = "socket-denied",
        "The daemon's admin socket is there and you may not connect to it.",
        "It serves whoever the kernel lets connect: root, and the socket's group.",
        "Use sudo, or join the socket's group (`sudo usermod -aG GROUP $USER`) and log in again.";
    SOCKET_MISSING = "socket-missing",
        "A socket of the running daemon is not at its path any more: somebody deleted or replaced it.",
        "It goes on rotating, and nobody can reach it over this path.",
        "Restart it: `sudo systemctl restart rotord`.";
    SOCKET_MODE = "socket-mode",
        "A socket can be connected to by others than it is meant for, or not by those that it is meant for.",
        "It sets mode and group when it makes the sockets, and does not look again. Who may do what is still checked on the reader socket.",
        "Restart the daemon, which makes them anew, or set the mode by hand: 0660 for the admin socket, 0666 for the reader socket, 0600 for the credential socket.";
    SOCKETS = "sockets",
        "The sockets are at their paths, with the modes that they should have.",
        "It serves them.",
        "Nothing needs to be done.";
    FILE_MODE = "file-mode",
        "A file or directory of the daemon can be read or written by others than it should be.",
        "It goes on. A root key that is open to others is refused at the next start.",
        "Take the rights away with the command that the finding names. If a key was open to people whom you do not trust, make a new one.";
    FILE_OWNER = "file-owner",
        "A file or directory of the daemon belongs to somebody else, who can change it at will.",
        "It goes on as long as it can read and write what it needs.",
        "Give it back with the command that the finding names.";
    FILE_MISSING = "file-missing",
        "A file or directory that the daemon needs is not there, or can't be looked at.",
        "What it holds open it goes on using; the next start needs it.",
        "Put it back, from a backup where it is a key. `rotorctl explain state-directory` and `root-key-missing` say what a start makes of it.";
    FILES = "files",
        "The state directory, keys, witness, settings and provider files belong to whom they should, and nobody else may change them.",
        "It made them so.",
        "Nothing needs to be done.";
    DISK_FULL = "disk-full",
        "The file system of the state has no room left, or too little for what the next steps write.",
        "Before a provider is called, the intent must be on disk: without room no run begins, and nothing is issued. Reading goes on. It tries again by itself and goes on when there is room.",
        "Make room on that file system, or move the state directory to a larger one.";
    DISK_LOW = "disk-low",
        "The file system of the state has little room left.",
        "It goes on until there is none.",
        "Make room before it is full: `du -x` on that file system shows what takes it.";
    DISK_READ_ONLY = "disk-read-only",
        "The file system of the state is mounted read-only, most often after a disk error.",
        "No run begins, and nothing is issued. Reading goes on. It goes on by itself when it can write again.",
        "See `dmesg` for why, repair the file system and mount it writable again.";
    DISK_UNKNOWN = "disk-unknown",
        "How much room is left could not be found out.",
        "It goes on.",
        "See whether the directory is there and its file system answers: `df DIRECTORY`.";
    DISK_ROOM = "disk-room",
        "There is room for the state.",
        "It uses some hundred kilobytes a year for each rotation.",
        "Nothing needs to be done.";
    CORE_DUMPS = "core-dumps",
        "If the daemon crashed, its memory with secrets could be written to disk, or another process of its user could look into it.",
        "It forbids both when it starts, and logs a warning where the system does not let it.",
        "Start it by its unit, which has LimitCORE=0, and see its log for why it could not forbid it.";
    MEMORY_CLOSED = "memory-closed",
        "The daemon leaves no core dump, and no other process of its user can look into its memory.",
        "It forbade both at its start.",
        "Nothing needs to be done.";
    RUNS_AS_ROOT = "runs-as-root",
        "The daemon runs as root, and needs no right that root has.",
        "It goes on all the same.",
        "Run it by its unit, as the user rotord: `sudo systemctl enable --now rotord`.";
    NOT_HARDENED = "not-hardened",
        "The process has rights that its unit takes away: new privileges, capabilities, or all system calls. It was started without the unit, or a drop-in lifts what the unit forbids.",
        "It goes on all the same: what a provider may do is bounded by the sandbox and not by this.",
        "Start it by the unit that comes with it: `sudo systemctl enable --now rotord`, and see `systemctl cat rotord` for drop-ins.";
    HARDENED = "hardened",
        "The process can gain no privileges, has no capabilities, and may make only the system calls of its unit.",
        "The kernel holds it to that.",
        "Nothing needs to be done.";
    PROCESS_UNKNOWN = "process-unknown",
        "What the kernel says of the daemon's own process can't be read.",
        "It goes on.",
        "See that /proc is mounted for it: ProcSubset=pid in its unit is enough.";
    ROOT_KEY = "root-key",
        "Where the root key comes from, which seals everything that is at rest. Whoever has it and the database has the secrets; without it the database opens for nobody.",
        "It reads the key once, at its start.",
        "Keep a copy of it apart from the copies of the state directory. `sudo rotorctl root-key seal` makes a systemd credential of it (`rotord.root-key`), which keeps it out of that directory. If it leaked, have another one: `rotorctl root-key rewrap`.";
    ROOT_KEY_WAITS = "root-key-waits",
        "The database was wrapped by another root key, and the daemon was not started with that one yet: both open it.",
        "It goes on with the one that it was started with. The first start with the other one drops the older.",
        "Put the new root key in its place and restart: `sudo systemctl restart rotord`; `rotorctl root-key status` shows both. To take it back, wrap by the one in use again (`rotorctl root-key rewrap --new-key FILE`) and restart.";
    ROOT_KEY_COPY = "root-key-copy",
        "The root key comes from elsewhere, and a plain file is left that opens the database, too.",
        "It does not read that file, and does not delete it: it may be the only copy.",
        "See that a copy of the root key is where this host is not, then delete the file: `sudo shred -u FILE`.";
    DATABASE_UNWRITABLE = "database-unwritable",
        "The database can't be written: its disk is full or read-only, or failed.",
        "The intent to issue or revoke is written down first, so no provider is asked. Published secrets are read as before; a read that can't be noted in the audit is in the log instead. It tries again once a minute and goes on by itself.",
        "Do what the message says: make room, make the file system writable, or see `dmesg` for a disk that fails. `rotorctl backup FILE` works meanwhile, with a file elsewhere.";
    DATABASE_PARTLY_DAMAGED = "database-partly-damaged",
        "A part of the database's file is damaged, or holds what can't be opened.",
        "What the rest holds is read, and rotations whose rows can be read go on. A start would refuse the file.",
        "Take a copy of the state directory, stop the daemon and put a backup back: `rotorctl restore FILE --replace`. See `dmesg` for the disk.";
    WITNESS_UNWRITABLE = "witness-unwritable",
        "The witness, which counts commits outside of the state directory, can't be written.",
        "It goes on. Until the witness is written again, a database that is restored from a copy is told by the mark of its backup, its file, its machine and the labels at the provider alone.",
        "Make room where the setting state.witness says, or make it writable for the daemon's user.";
    DATABASE_UNREADABLE = "database-unreadable",
        "The database does not answer, or answers with an error.",
        "What it can't read or write it reports and tries again; nothing is issued whose intent is not on disk.",
        "See its log (`journalctl -u rotord`) and the disk. A damaged database is replaced by a backup: afterwards lost answers are reported and not removed until you have looked.";
    DATABASE = "database",
        "The database answers, and was made on this machine.",
        "It counts every commit in it and in its witness.",
        "Nothing needs to be done.";
    OTHER_MACHINE = "other-machine",
        "The state directory was made on another machine, which may still run and rotate the same targets.",
        "Lost answers are reported and not removed, for each may be the other machine's live credential.",
        "Stop the daemon on the other machine, or delete one of the two directories. Then decide on each doubtful credential: `rotorctl adopt`, `rotorctl remove`.";
    WITNESS_MISSING = "witness-missing",
        "No witness is kept outside of the state directory. Without it, a database that was restored from a copy is told only by the labels at the provider.",
        "It goes on, and notices old state at the next look at each target.",
        "Name a place outside of the state directory in the setting state.witness, which the daemon's user may write, and restart it.";
    WITNESS = "witness",
        "A witness outside of the state directory counts with every commit.",
        "At each start it compares the two: a database that counts less was restored from a copy.",
        "Nothing needs to be done. Do not back it up with the state directory.";
    SCHEDULER = "scheduler",
        "What is due can't be read, so nothing is started by schedule.",
        "It tries again every few seconds and goes on by itself.",
        "See its log (`journalctl -u rotord`), the disk and the database.";
    WAITS_SHORTENED = "waits-shortened",
        "The setting timing.scale is below 1: every wait that proves a credential is shorter than services need.",
        "It keeps to the shortened waits.",
        "Only to try things out. In earnest, take the setting out and restart the daemon.";
    NOT_LOOKED_AT = "not-looked-at",
        "This part was not looked at: what it would have asked did not answer in time a moment ago, or the time for the whole look was over.",
        "It does not wait for what is stuck, so that everything else is still looked at.",
        "See what else is found of the same provider, and look at this part alone: `rotorctl doctor --rotation NAME` or `--connection NAME`.";
    LOOK_FAILED = "look-failed",
        "This part could not be looked at: the daemon itself met an error.",
        "What it met stands in its log.",
        "See its log (`journalctl -u rotord`) and look again.";
}
