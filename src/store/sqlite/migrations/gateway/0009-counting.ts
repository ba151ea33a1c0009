/**
 * What orders count for, by their account, and the decisions. Orders from before count as orders of their day, and for no
 * dollars: what they could come to was not kept. Those that were placed are taken for over.
 */
export const sql = `
  ALTER TABLE gateway_orders ADD COLUMN account TEXT NOT NULL DEFAULT '';
  ALTER TABLE gateway_orders ADD COLUMN symbol TEXT NOT NULL DEFAULT '';
  ALTER TABLE gateway_orders ADD COLUMN side TEXT NOT NULL DEFAULT '';
  -- Dollars and shares that it counts for.
  ALTER TABLE gateway_orders ADD COLUMN notional TEXT NOT NULL DEFAULT '0';
  ALTER TABLE gateway_orders ADD COLUMN qty TEXT NOT NULL DEFAULT '0';
  ALTER TABLE gateway_orders ADD COLUMN terms TEXT NOT NULL DEFAULT '';
  -- When it was known to be over at the broker.
  ALTER TABLE gateway_orders ADD COLUMN over_at INTEGER;
  ALTER TABLE gateway_orders ADD COLUMN mandate TEXT;
  ALTER TABLE gateway_orders ADD COLUMN slot TEXT;
  UPDATE gateway_orders SET
    account = coalesce(json_extract(draft, '$.account'), ''),
    symbol = coalesce(json_extract(draft, '$.symbol'), ''),
    side = coalesce(json_extract(draft, '$.side'), ''),
    over_at = CASE state WHEN 'placed' THEN updated_at END;
  CREATE INDEX gateway_orders_of_account ON gateway_orders (account, created_at);
  CREATE INDEX gateway_orders_open ON gateway_orders (account)
    WHERE over_at IS NULL AND state IN ('intent', 'placed', 'unknown');

  CREATE TABLE decisions (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    sub TEXT NOT NULL,
    client TEXT NOT NULL,
    account TEXT NOT NULL,
    action TEXT NOT NULL,
    stage TEXT NOT NULL CHECK (stage IN ('proposal', 'order')),
    subject_id TEXT NOT NULL,
    effect TEXT NOT NULL CHECK (effect IN ('allow', 'deny')),
    reasons TEXT NOT NULL,
    texts TEXT NOT NULL,
    measured TEXT NOT NULL,
    policy TEXT NOT NULL,
    facts TEXT NOT NULL
  ) STRICT;
  CREATE INDEX decisions_of_person ON decisions (sub, effect, id);
`;

/** Whose positions may only be made smaller. Beside the halts, it is made wherever they are looked at alone. */
export const reductions = `
  CREATE TABLE IF NOT EXISTS reductions (
    sub TEXT PRIMARY KEY,
    reduced_at INTEGER NOT NULL,
    until INTEGER,
    reduced_by TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
`;
