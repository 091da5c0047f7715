-- Times are milliseconds since 1970 in UTC. Ids are UUIDs as text. What is sealed names its data key beside it.

CREATE TABLE installation (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    id TEXT NOT NULL,
    machine_id TEXT,
    -- Counts commits. A copy outside of the state directory tells a restored database.
    generation INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE data_keys (
    id INTEGER PRIMARY KEY,
    created_at INTEGER NOT NULL
) STRICT;

-- One data key may be wrapped by two root keys, until a start has opened it with the newer one.
CREATE TABLE wrapped_keys (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    data_key INTEGER NOT NULL REFERENCES data_keys ON DELETE CASCADE,
    root_key TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    UNIQUE (data_key, root_key)
) STRICT;

CREATE TABLE projects (
    id TEXT PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE environments (
    id TEXT PRIMARY KEY,
    project TEXT NOT NULL REFERENCES projects,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    -- Drawn anew whenever a secret in it changes: what readers compare.
    secrets_tag TEXT NOT NULL,
    UNIQUE (project, slug)
) STRICT;

CREATE TABLE folders (
    id TEXT PRIMARY KEY,
    environment TEXT NOT NULL REFERENCES environments,
    path TEXT NOT NULL,
    UNIQUE (environment, path)
) STRICT;

CREATE TABLE connections (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    app TEXT NOT NULL,
    kind TEXT NOT NULL,
    method TEXT NOT NULL,
    project TEXT REFERENCES projects,
    fields TEXT NOT NULL,
    version INTEGER NOT NULL,
    secrets BLOB NOT NULL,
    secrets_version INTEGER NOT NULL,
    data_key INTEGER NOT NULL REFERENCES data_keys,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- The column `machine` holds the state as the domain knows it, without its credentials. What stands beside it
-- is taken from it, for indexes and counts.
CREATE TABLE rotations (
    id TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    connection TEXT NOT NULL REFERENCES connections,
    folder TEXT NOT NULL REFERENCES folders,
    parameters TEXT NOT NULL,
    target_key TEXT NOT NULL,
    life TEXT NOT NULL CHECK (life IN ('creating', 'live', 'failed', 'deleting')),
    auto INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    attention INTEGER NOT NULL,
    due_at INTEGER,
    next_try_at INTEGER,
    wake_at INTEGER,
    machine_version INTEGER NOT NULL,
    machine TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX rotations_by_name ON rotations (folder, name) WHERE life <> 'deleting';
CREATE INDEX rotations_by_wake ON rotations (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX rotations_by_target ON rotations (target_key);
CREATE INDEX rotations_by_connection ON rotations (connection);

-- A row outlives its rotation: a listing that lags may still show the credential.
CREATE TABLE credentials (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    rotation TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    nonce TEXT NOT NULL,
    handle TEXT,
    stage TEXT NOT NULL,
    settled INTEGER NOT NULL,
    slot INTEGER CHECK (slot IN (0, 1)),
    intended_at INTEGER NOT NULL,
    expires_at INTEGER,
    published_at INTEGER,
    revoke_not_before INTEGER,
    detail TEXT NOT NULL,
    outputs BLOB,
    data_key INTEGER REFERENCES data_keys,
    CHECK ((outputs IS NULL) = (data_key IS NULL))
) STRICT;

CREATE INDEX credentials_by_nonce ON credentials (rotation, nonce);
CREATE INDEX credentials_by_handle ON credentials (handle) WHERE handle IS NOT NULL;
CREATE INDEX credentials_in_state ON credentials (rotation) WHERE settled = 0 OR slot IS NOT NULL;
CREATE UNIQUE INDEX credentials_by_slot ON credentials (rotation, slot) WHERE slot IS NOT NULL;

-- Version 0: the name is taken and nothing was published yet.
CREATE TABLE secrets (
    id TEXT PRIMARY KEY,
    rotation TEXT REFERENCES rotations ON DELETE SET NULL,
    output TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX secrets_by_output ON secrets (rotation, output) WHERE rotation IS NOT NULL;

-- Every name in a folder, present or former, names one secret. `until` is the credential with whose retirement a
-- former name ends; a present name has none.
CREATE TABLE secret_names (
    folder TEXT NOT NULL REFERENCES folders,
    name TEXT NOT NULL,
    secret TEXT NOT NULL REFERENCES secrets ON DELETE CASCADE,
    until TEXT,
    PRIMARY KEY (folder, name)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX secret_names_present ON secret_names (secret) WHERE until IS NULL;
CREATE INDEX secret_names_by_secret ON secret_names (secret);
CREATE INDEX secret_names_by_until ON secret_names (until) WHERE until IS NOT NULL;

CREATE TABLE secret_versions (
    secret TEXT NOT NULL REFERENCES secrets ON DELETE CASCADE,
    version INTEGER NOT NULL,
    value BLOB NOT NULL,
    data_key INTEGER NOT NULL REFERENCES data_keys,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (secret, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE provider_descriptions (
    slug TEXT PRIMARY KEY,
    description TEXT NOT NULL,
    described_at INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    uid INTEGER,
    gid INTEGER,
    pid INTEGER,
    action TEXT NOT NULL,
    rotation TEXT,
    detail TEXT NOT NULL
) STRICT;

CREATE INDEX audit_by_rotation ON audit (rotation, id) WHERE rotation IS NOT NULL;
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit BEGIN SELECT raise(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_is_never_removed BEFORE DELETE ON audit BEGIN SELECT raise(ABORT, 'the audit is append-only'); END;
