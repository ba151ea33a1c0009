/**
 * An approval is used once, whatever for: one table for orders and messages alike. An approval used before this was used
 * by whichever issuer there was, which a row with an empty issuer says. A message has an epoch, which rises with each change.
 * Programs from before would not look into the table, and leave a journal of version 4 alone.
 */
export const sql = `
  CREATE TABLE used_approvals (
    issuer TEXT NOT NULL,
    jti TEXT NOT NULL,
    sub TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('order', 'message')),
    subject_id TEXT NOT NULL,
    used_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, jti)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO used_approvals
    SELECT '', jti, sub, 'order', client_order_id, created_at FROM gateway_orders;
  INSERT OR IGNORE INTO used_approvals
    SELECT '', jti, sub, 'message', client_message_id, created_at FROM gateway_messages;

  CREATE TABLE gateway_orders_6 (
    sub TEXT NOT NULL,
    client_order_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    draft TEXT NOT NULL,
    replaces TEXT,
    state TEXT NOT NULL CHECK (state IN ('intent', 'placed', 'rejected', 'unknown')),
    submissions INTEGER NOT NULL,
    submitted_at INTEGER,
    ambiguous INTEGER NOT NULL CHECK (ambiguous IN (0, 1)),
    result TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (sub, client_order_id),
    CHECK ((state IN ('placed', 'rejected')) = (result IS NOT NULL))
  ) STRICT;
  INSERT INTO gateway_orders_6
    SELECT sub, client_order_id, digest, draft, replaces, state, submissions, submitted_at, ambiguous, result,
      created_at, updated_at
    FROM gateway_orders;
  DROP TABLE gateway_orders;
  ALTER TABLE gateway_orders_6 RENAME TO gateway_orders;

  CREATE TABLE gateway_messages_6 (
    sub TEXT NOT NULL,
    client_message_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    draft TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('ready', 'intent', 'sent', 'refused', 'unknown')),
    epoch INTEGER NOT NULL,
    result TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (sub, client_message_id),
    CHECK ((state IN ('sent', 'refused')) = (result IS NOT NULL))
  ) STRICT;
  INSERT INTO gateway_messages_6
    SELECT sub, client_message_id, digest, draft, state, 1, result, created_at, updated_at FROM gateway_messages;
  DROP TABLE gateway_messages;
  ALTER TABLE gateway_messages_6 RENAME TO gateway_messages;

  CREATE TABLE IF NOT EXISTS gateway_schema (version INTEGER NOT NULL) STRICT;
  INSERT INTO gateway_schema (version) VALUES (4);
`;
