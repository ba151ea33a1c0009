/** An id is its user's own: with the id alone as the key, whoever came first kept everybody else from using it. */
export const sql = `
  CREATE TABLE gateway_orders_3 (
    sub TEXT NOT NULL,
    client_order_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    jti TEXT NOT NULL UNIQUE,
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
  INSERT INTO gateway_orders_3
    SELECT sub, client_order_id, digest, jti, draft, NULL, state, submissions, submitted_at, ambiguous, result,
      created_at, updated_at
    FROM gateway_orders;
  DROP TABLE gateway_orders;
  ALTER TABLE gateway_orders_3 RENAME TO gateway_orders;

  CREATE TABLE gateway_messages_3 (
    sub TEXT NOT NULL,
    client_message_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    jti TEXT NOT NULL UNIQUE,
    draft TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('ready', 'intent', 'sent', 'refused', 'unknown')),
    result TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (sub, client_message_id),
    CHECK ((state IN ('sent', 'refused')) = (result IS NOT NULL))
  ) STRICT;
  INSERT INTO gateway_messages_3
    SELECT sub, client_message_id, digest, jti, draft, state, result, created_at, updated_at
    FROM gateway_messages;
  DROP TABLE gateway_messages;
  ALTER TABLE gateway_messages_3 RENAME TO gateway_messages;
`;
