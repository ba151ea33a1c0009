/** Approvals of messages: "draft" and "placed" then hold a message's, "client_order_id" its client_message_id. */
export const sql = `
  ALTER TABLE approvals ADD COLUMN kind TEXT NOT NULL DEFAULT 'order' CHECK (kind IN ('order', 'message'));
`;
