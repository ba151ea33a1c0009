/**
 * Several brokers: which kind a key pair was given for, so that it is never sent to another (all from before are Alpaca's,
 * the one kind that there was), and which of a person's accounts is meant where none is named.
 */
export const sql = `
  ALTER TABLE broker_keys ADD COLUMN kind TEXT NOT NULL DEFAULT 'alpaca';
  CREATE TABLE default_accounts (
    sub TEXT PRIMARY KEY,
    account TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
`;
