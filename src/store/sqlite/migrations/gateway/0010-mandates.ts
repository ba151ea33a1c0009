/**
 * Mandates, and what orders have used of them: a slot is taken by the order's own claim, and given back with its refusal.
 * An approval may be used for a mandate too. On demand the slot is empty, and `n` numbers the orders.
 */
export const sql = `
  CREATE TABLE mandates (
    sub TEXT NOT NULL,
    id TEXT NOT NULL,
    terms TEXT NOT NULL,
    digest TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'revoked', 'replaced')),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (sub, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE mandate_uses (
    sub TEXT NOT NULL,
    mandate TEXT NOT NULL,
    slot TEXT NOT NULL,
    symbol TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
    n INTEGER NOT NULL CHECK (n >= 1),
    client_order_id TEXT NOT NULL,
    PRIMARY KEY (sub, mandate, slot, symbol, side, n),
    UNIQUE (sub, client_order_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE used_approvals_10 (
    issuer TEXT NOT NULL,
    jti TEXT NOT NULL,
    sub TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('order', 'message', 'mandate')),
    subject_id TEXT NOT NULL,
    used_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, jti)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO used_approvals_10 SELECT * FROM used_approvals;
  DROP TABLE used_approvals;
  ALTER TABLE used_approvals_10 RENAME TO used_approvals;
`;
