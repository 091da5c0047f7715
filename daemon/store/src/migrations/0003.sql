-- What a rotation was that is deleted and settled: what it left alive at its provider stays listed until it ends.
CREATE TABLE former_rotations (
    id TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    name TEXT NOT NULL,
    environment TEXT NOT NULL REFERENCES environments,
    -- Its folder may be gone.
    path TEXT NOT NULL,
    parameters TEXT NOT NULL,
    target_key TEXT NOT NULL
) STRICT;
