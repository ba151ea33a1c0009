/** Notices that are still to be sent, and what each channel was told of. */
export const sql = `
  CREATE TABLE notice (
    id TEXT PRIMARY KEY, profile TEXT NOT NULL, account TEXT NOT NULL, channel TEXT NOT NULL, notice TEXT NOT NULL,
    made_at INTEGER NOT NULL, until INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE told (
    profile TEXT NOT NULL, account TEXT NOT NULL, channel TEXT NOT NULL,
    rule TEXT NOT NULL, subject TEXT NOT NULL, definition TEXT NOT NULL,
    PRIMARY KEY (profile, account, channel, rule, subject, definition)
  ) STRICT, WITHOUT ROWID;
`;
