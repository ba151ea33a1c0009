/** The journal of orders. */
export const sql = `
  CREATE TABLE gateway_orders (
    client_order_id TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    sub TEXT NOT NULL,
    jti TEXT NOT NULL UNIQUE,
    draft TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('intent', 'placed', 'rejected', 'unknown')),
    submissions INTEGER NOT NULL,
    submitted_at INTEGER,
    ambiguous INTEGER NOT NULL CHECK (ambiguous IN (0, 1)),
    result TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((state IN ('placed', 'rejected')) = (result IS NOT NULL))
  ) STRICT;
`;
