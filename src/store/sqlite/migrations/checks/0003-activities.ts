/** The account’s activities, as they were when all were last read. */
export const sql = `
  CREATE TABLE activities (
    profile TEXT NOT NULL, account TEXT NOT NULL, rows TEXT NOT NULL, whole_at INTEGER NOT NULL,
    PRIMARY KEY (profile, account)
  ) STRICT;
`;
