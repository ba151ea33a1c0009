/** Since when the gateway's rules have limits: one row, or none. */
export const sql = `
  CREATE TABLE limits_seen (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    since INTEGER NOT NULL
  ) STRICT;
`;
