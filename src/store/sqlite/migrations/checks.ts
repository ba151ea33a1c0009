import type { Migration } from '../migrate.ts';

const baseline = `
  CREATE TABLE fired (
    profile TEXT NOT NULL, account TEXT NOT NULL, rule TEXT NOT NULL, subject TEXT NOT NULL,
    definition TEXT NOT NULL, since INTEGER NOT NULL,
    PRIMARY KEY (profile, account, rule, subject)
  ) STRICT;
  -- The flows are the ones known when the mark last increased.
  CREATE TABLE high_water (
    profile TEXT NOT NULL, account TEXT NOT NULL, value TEXT NOT NULL, at INTEGER NOT NULL,
    last_value TEXT NOT NULL, last_at INTEGER NOT NULL, flows TEXT,
    PRIMARY KEY (profile, account)
  ) STRICT;
  CREATE TABLE proposed (
    profile TEXT NOT NULL, account TEXT NOT NULL, rule TEXT NOT NULL, definition TEXT NOT NULL,
    thread TEXT NOT NULL, asked INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (profile, account, rule, definition)
  ) STRICT;
  CREATE TABLE closes (symbol TEXT PRIMARY KEY, days BLOB NOT NULL, closes BLOB NOT NULL) STRICT;
  -- Unsent notices, and the firings that each channel was notified of.
  CREATE TABLE notice (
    id TEXT PRIMARY KEY, profile TEXT NOT NULL, account TEXT NOT NULL, channel TEXT NOT NULL, notice TEXT NOT NULL,
    made_at INTEGER NOT NULL, until INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE told (
    profile TEXT NOT NULL, account TEXT NOT NULL, channel TEXT NOT NULL,
    rule TEXT NOT NULL, subject TEXT NOT NULL, definition TEXT NOT NULL,
    PRIMARY KEY (profile, account, channel, rule, subject, definition)
  ) STRICT, WITHOUT ROWID;
  -- The activities of the account when all of them were last read.
  CREATE TABLE activities (
    profile TEXT NOT NULL, account TEXT NOT NULL, rows TEXT NOT NULL, whole_at INTEGER NOT NULL,
    PRIMARY KEY (profile, account)
  ) STRICT;
  -- Activities from imported files, each with the first file that contained it.
  CREATE TABLE imports (
    profile TEXT NOT NULL, account TEXT NOT NULL, id TEXT NOT NULL, file TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (profile, account, id)
  ) STRICT;
  CREATE TABLE imported (
    profile TEXT NOT NULL, account TEXT NOT NULL, id TEXT NOT NULL, import TEXT NOT NULL, at INTEGER NOT NULL,
    row TEXT NOT NULL,
    PRIMARY KEY (profile, account, id)
  ) STRICT;
`;

export const checkMigrations: readonly Migration[] = [baseline];
