import { tenantTable } from '../../schema.ts';

/** The journals of orders and messages, the approvals they used up, and what was decided about orders. Times are milliseconds. */
export const sql = (schema: string) => `
  CREATE TABLE gateway_orders (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    client_order_id text NOT NULL,
    -- Of the same millisecond the one of the lower number is the older: one account's are claimed one after another.
    place bigint GENERATED ALWAYS AS IDENTITY,
    digest text NOT NULL,
    draft text NOT NULL,
    replaces text,
    state text NOT NULL CHECK (state IN ('intent', 'placed', 'rejected', 'unknown')),
    submissions integer NOT NULL,
    submitted_at bigint,
    ambiguous boolean NOT NULL DEFAULT false,
    result text,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    account text NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL,
    -- Dollars and shares that it counts for.
    notional text NOT NULL,
    qty text NOT NULL,
    terms text NOT NULL,
    -- When it was known to be over at the broker.
    over_at bigint,
    mandate text,
    slot text,
    PRIMARY KEY (tenant, sub, client_order_id),
    CHECK ((state IN ('placed', 'rejected')) = (result IS NOT NULL))
  );
  CREATE INDEX gateway_orders_of_account ON gateway_orders (tenant, account, created_at);
  CREATE INDEX gateway_orders_open ON gateway_orders (tenant, account)
    WHERE over_at IS NULL AND state IN ('intent', 'placed', 'unknown');
  ${tenantTable(schema, 'gateway_orders', { app: 'SELECT, INSERT, UPDATE' })}

  CREATE TABLE gateway_messages (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    client_message_id text NOT NULL,
    digest text NOT NULL,
    draft text NOT NULL,
    state text NOT NULL CHECK (state IN ('ready', 'intent', 'sent', 'refused', 'unknown')),
    epoch integer NOT NULL,
    result text,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant, sub, client_message_id),
    CHECK ((state IN ('sent', 'refused')) = (result IS NOT NULL))
  );
  ${tenantTable(schema, 'gateway_messages', { app: 'SELECT, INSERT, UPDATE' })}

  CREATE TABLE used_approvals (
    tenant text NOT NULL DEFAULT current_tenant(),
    issuer text NOT NULL,
    jti text NOT NULL,
    sub text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('order', 'message', 'mandate')),
    subject_id text NOT NULL,
    used_at bigint NOT NULL,
    PRIMARY KEY (tenant, issuer, jti)
  );
  -- What was used once is never free again.
  ${tenantTable(schema, 'used_approvals', { app: 'SELECT, INSERT' })}

  CREATE TABLE decisions (
    tenant text NOT NULL DEFAULT current_tenant(),
    id bigint GENERATED ALWAYS AS IDENTITY,
    at bigint NOT NULL,
    sub text NOT NULL,
    client text NOT NULL,
    account text NOT NULL,
    action text NOT NULL,
    stage text NOT NULL CHECK (stage IN ('proposal', 'order')),
    subject_id text NOT NULL,
    effect text NOT NULL CHECK (effect IN ('allow', 'deny')),
    reasons text NOT NULL,
    texts text NOT NULL,
    measured text NOT NULL,
    policy text NOT NULL,
    facts text NOT NULL,
    PRIMARY KEY (tenant, sub, effect, id)
  );
  ${tenantTable(schema, 'decisions', { app: 'SELECT, INSERT, DELETE' })}
`;
