/**
 * The keys that people approve with, the pairings that let a phone enrol one, and what was signed. A proposal has a nonce for
 * what is signed; one from before has none, and can be approved only where no signature is asked for.
 */
export const sql = `
  CREATE TABLE signing_keys (
    credential_id TEXT PRIMARY KEY,
    sub TEXT NOT NULL,
    public_key BLOB NOT NULL,
    algorithm INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    method TEXT NOT NULL CHECK (method IN ('webauthn', 'software')),
    device_type TEXT NOT NULL CHECK (device_type IN ('singleDevice', 'multiDevice')),
    backed_up INTEGER NOT NULL CHECK (backed_up IN (0, 1)),
    name TEXT NOT NULL,
    transports TEXT NOT NULL,
    enrolled_at INTEGER NOT NULL,
    last_used_at INTEGER,
    removed_at INTEGER
  ) STRICT;
  CREATE INDEX signing_keys_of_person ON signing_keys (sub) WHERE removed_at IS NULL;
  -- One of each person: a newer takes an older one's place.
  CREATE TABLE pairings (
    sub TEXT PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE signatures (
    sub TEXT NOT NULL,
    approval TEXT NOT NULL,
    digest TEXT NOT NULL,
    evidence TEXT NOT NULL,
    credential_id TEXT NOT NULL REFERENCES signing_keys (credential_id),
    signed_at INTEGER NOT NULL,
    PRIMARY KEY (sub, approval, digest)
  ) STRICT, WITHOUT ROWID;
  ALTER TABLE proposals ADD COLUMN nonce TEXT;
`;
