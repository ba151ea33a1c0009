/** What the gateway orders by itself under a mandate: which time comes next, and what came of the last. */
export const sql = `
  CREATE TABLE standing_orders (
    sub TEXT NOT NULL,
    mandate TEXT NOT NULL,
    client TEXT NOT NULL,
    due_at INTEGER,
    state TEXT NOT NULL CHECK (state IN ('watching', 'done', 'stopped')),
    last TEXT,
    PRIMARY KEY (sub, mandate),
    FOREIGN KEY (sub, mandate) REFERENCES mandates (sub, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX standing_orders_watched ON standing_orders (sub) WHERE state = 'watching';
`;
