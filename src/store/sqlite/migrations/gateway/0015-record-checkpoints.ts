/** How far the record is signed: one row, as only the latest is asked for. */
export const sql = `
  CREATE TABLE record_checkpoint (
    one INTEGER PRIMARY KEY CHECK (one = 1), day TEXT NOT NULL, seq INTEGER NOT NULL, hash TEXT NOT NULL,
    anchored INTEGER NOT NULL CHECK (anchored IN (0, 1))
  ) STRICT;
`;
