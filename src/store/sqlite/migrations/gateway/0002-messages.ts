/** The journal of messages. */
export const sql = `
  CREATE TABLE gateway_messages (
    client_message_id TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    sub TEXT NOT NULL,
    jti TEXT NOT NULL UNIQUE,
    draft TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('ready', 'intent', 'sent', 'refused', 'unknown')),
    result TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((state IN ('sent', 'refused')) = (result IS NOT NULL))
  ) STRICT;
`;
