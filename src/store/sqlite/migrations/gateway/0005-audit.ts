/** Lines of the record on their way to its file, and where it stands. */
export const sql = `
  CREATE TABLE IF NOT EXISTS audit_head (
    one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL
  ) STRICT;
  INSERT OR IGNORE INTO audit_head VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
  CREATE TABLE IF NOT EXISTS audit_noted (seq INTEGER PRIMARY KEY, line TEXT NOT NULL) STRICT;
`;
