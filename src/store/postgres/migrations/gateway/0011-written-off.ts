/** When an order was inferred to be absent at the broker, and until when it still counts. */
export const sql = `
  ALTER TABLE gateway_orders ADD COLUMN written_off_at bigint;
  ALTER TABLE gateway_orders ADD COLUMN reserved_until bigint;
  CREATE INDEX gateway_orders_written_off ON gateway_orders (tenant, written_off_at) WHERE written_off_at IS NOT NULL;
`;
