import { type Migration, tenantTable } from '../../schema.ts';

/** What checks remember of an account: firings, the mark, what was proposed, prices, activities, notices, imported rows. */
export const checks = (schema: string): Migration => `
  CREATE TABLE fired (
    tenant text NOT NULL DEFAULT current_tenant(), profile text NOT NULL, account text NOT NULL,
    rule text NOT NULL, subject text NOT NULL, definition text NOT NULL, since bigint NOT NULL,
    PRIMARY KEY (tenant, profile, account, rule, subject)
  );
  CREATE TABLE high_water (
    tenant text NOT NULL DEFAULT current_tenant(), profile text NOT NULL, account text NOT NULL,
    value text NOT NULL, at bigint NOT NULL, last_value text NOT NULL, last_at bigint NOT NULL, flows text,
    PRIMARY KEY (tenant, profile, account)
  );
  CREATE TABLE proposed (
    tenant text NOT NULL DEFAULT current_tenant(), profile text NOT NULL, account text NOT NULL,
    rule text NOT NULL, definition text NOT NULL, thread text NOT NULL, asked boolean NOT NULL, at bigint NOT NULL,
    PRIMARY KEY (tenant, profile, account, rule, definition)
  );
  CREATE TABLE closes (
    tenant text NOT NULL DEFAULT current_tenant(), symbol text NOT NULL, days bytea NOT NULL, closes bytea NOT NULL,
    PRIMARY KEY (tenant, symbol)
  );
  CREATE TABLE activities (
    tenant text NOT NULL DEFAULT current_tenant(), profile text NOT NULL, account text NOT NULL,
    rows text NOT NULL, whole_at bigint NOT NULL,
    PRIMARY KEY (tenant, profile, account)
  );
  CREATE TABLE notice (
    tenant text NOT NULL DEFAULT current_tenant(), id text NOT NULL, seq bigint GENERATED ALWAYS AS IDENTITY,
    profile text NOT NULL, account text NOT NULL, channel text NOT NULL, notice text NOT NULL,
    made_at bigint NOT NULL, until bigint NOT NULL, attempts integer NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
  );
  CREATE INDEX notice_by_account ON notice (tenant, profile, account, made_at);
  CREATE TABLE told (
    tenant text NOT NULL DEFAULT current_tenant(), profile text NOT NULL, account text NOT NULL, channel text NOT NULL,
    rule text NOT NULL, subject text NOT NULL, definition text NOT NULL,
    PRIMARY KEY (tenant, profile, account, channel, rule, subject, definition)
  );
  CREATE TABLE imports (
    tenant text NOT NULL DEFAULT current_tenant(), profile text NOT NULL, account text NOT NULL,
    id text NOT NULL, file text NOT NULL, at bigint NOT NULL,
    PRIMARY KEY (tenant, profile, account, id)
  );
  CREATE TABLE imported (
    tenant text NOT NULL DEFAULT current_tenant(), profile text NOT NULL, account text NOT NULL,
    id text COLLATE "C" NOT NULL, import text NOT NULL, at bigint NOT NULL, row text NOT NULL,
    PRIMARY KEY (tenant, profile, account, id)
  );
  ${['fired', 'high_water', 'proposed', 'closes', 'activities', 'notice', 'told', 'imports', 'imported']
    .map((table) => tenantTable(schema, table, { app: 'SELECT, INSERT, UPDATE, DELETE' }))
    .join('')}
`;
