/** Activities from files of the person's, each by the file that had it first. */
export const sql = `
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
