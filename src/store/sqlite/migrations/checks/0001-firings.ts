/** What rules have fired, the high-water mark, conditional orders, closing prices. */
export const sql = `
  CREATE TABLE fired (
    profile TEXT NOT NULL, account TEXT NOT NULL, rule TEXT NOT NULL, subject TEXT NOT NULL,
    definition TEXT NOT NULL, since INTEGER NOT NULL,
    PRIMARY KEY (profile, account, rule, subject)
  ) STRICT;
  CREATE TABLE high_water (
    profile TEXT NOT NULL, account TEXT NOT NULL, value TEXT NOT NULL, at INTEGER NOT NULL,
    last_value TEXT NOT NULL, last_at INTEGER NOT NULL,
    PRIMARY KEY (profile, account)
  ) STRICT;
  CREATE TABLE proposed (
    profile TEXT NOT NULL, account TEXT NOT NULL, rule TEXT NOT NULL, definition TEXT NOT NULL,
    thread TEXT NOT NULL, asked INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (profile, account, rule, definition)
  ) STRICT;
  CREATE TABLE closes (symbol TEXT PRIMARY KEY, days BLOB NOT NULL, closes BLOB NOT NULL) STRICT;
`;
