/** Lines on their way to the audit file, and when an approval was last polled for. */
export const sql = `
  CREATE TABLE audit_outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    line TEXT NOT NULL
  ) STRICT;
  ALTER TABLE approvals ADD COLUMN polled_at INTEGER;
`;
