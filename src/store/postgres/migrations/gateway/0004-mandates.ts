import { tenantTable } from '../../schema.ts';

/** Mandates, what orders have used of them, and what the gateway orders by itself under one. */
export const sql = (schema: string) => `
  CREATE TABLE mandates (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    id text NOT NULL,
    terms text NOT NULL,
    digest text NOT NULL,
    state text NOT NULL CHECK (state IN ('active', 'suspended', 'revoked', 'replaced')),
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant, sub, id)
  );
  ${tenantTable(schema, 'mandates', { app: 'SELECT, INSERT, UPDATE' })}

  CREATE TABLE mandate_uses (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    mandate text NOT NULL,
    slot text NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    n integer NOT NULL CHECK (n >= 1),
    client_order_id text NOT NULL,
    PRIMARY KEY (tenant, sub, mandate, slot, symbol, side, n),
    UNIQUE (tenant, sub, client_order_id)
  );
  ${tenantTable(schema, 'mandate_uses', { app: 'SELECT, INSERT, DELETE' })}

  CREATE TABLE standing_orders (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    mandate text NOT NULL,
    client text NOT NULL,
    due_at bigint,
    state text NOT NULL CHECK (state IN ('watching', 'done', 'stopped')),
    last text,
    PRIMARY KEY (tenant, sub, mandate),
    FOREIGN KEY (tenant, sub, mandate) REFERENCES mandates (tenant, sub, id)
  );
  CREATE INDEX standing_orders_watched ON standing_orders (tenant, sub, mandate) WHERE state = 'watching';
  ${tenantTable(schema, 'standing_orders', { app: 'SELECT, INSERT, UPDATE' })}
`;
