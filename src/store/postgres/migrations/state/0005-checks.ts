import { type Migration, tenantTable } from '../../schema.ts';
import { PERSON_COLUMNS, personTable } from './0002-people.ts';

/** What checks remember of an account: firings, the mark, what was proposed, prices, activities, notices, imported rows. */
export const checks = (schema: string): Migration => `
  CREATE TABLE fired (
    ${PERSON_COLUMNS}, profile text NOT NULL, account text NOT NULL,
    rule text NOT NULL, subject text NOT NULL, definition text NOT NULL, since bigint NOT NULL,
    PRIMARY KEY (tenant, person, profile, account, rule, subject)
  );
  CREATE TABLE high_water (
    ${PERSON_COLUMNS}, profile text NOT NULL, account text NOT NULL,
    value text NOT NULL, at bigint NOT NULL, last_value text NOT NULL, last_at bigint NOT NULL, flows text,
    PRIMARY KEY (tenant, person, profile, account)
  );
  CREATE TABLE proposed (
    ${PERSON_COLUMNS}, profile text NOT NULL, account text NOT NULL,
    rule text NOT NULL, definition text NOT NULL, thread text NOT NULL, asked boolean NOT NULL, at bigint NOT NULL,
    PRIMARY KEY (tenant, person, profile, account, rule, definition)
  );
  CREATE TABLE activities (
    ${PERSON_COLUMNS}, profile text NOT NULL, account text NOT NULL,
    rows text NOT NULL, whole_at bigint NOT NULL,
    PRIMARY KEY (tenant, person, profile, account)
  );
  CREATE TABLE notice (
    ${PERSON_COLUMNS}, id text NOT NULL, seq bigint GENERATED ALWAYS AS IDENTITY,
    profile text NOT NULL, account text NOT NULL, channel text NOT NULL, notice text NOT NULL,
    made_at bigint NOT NULL, until bigint NOT NULL, attempts integer NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, person, id)
  );
  CREATE INDEX notice_by_account ON notice (tenant, person, profile, account, made_at);
  CREATE TABLE told (
    ${PERSON_COLUMNS}, profile text NOT NULL, account text NOT NULL, channel text NOT NULL,
    rule text NOT NULL, subject text NOT NULL, definition text NOT NULL,
    PRIMARY KEY (tenant, person, profile, account, channel, rule, subject, definition)
  );
  CREATE TABLE imports (
    ${PERSON_COLUMNS}, profile text NOT NULL, account text NOT NULL,
    id text NOT NULL, file text NOT NULL, at bigint NOT NULL,
    PRIMARY KEY (tenant, person, profile, account, id)
  );
  CREATE TABLE imported (
    ${PERSON_COLUMNS}, profile text NOT NULL, account text NOT NULL,
    id text COLLATE "C" NOT NULL, import text NOT NULL, at bigint NOT NULL, row text NOT NULL,
    PRIMARY KEY (tenant, person, profile, account, id)
  );
  ${['fired', 'high_water', 'proposed', 'activities', 'notice', 'told', 'imports', 'imported']
    .map((table) => personTable(schema, table, { app: 'SELECT, INSERT, UPDATE, DELETE' }))
    .join('')}

  -- What the market paid is nobody's own: read once for all of a tenant.
  CREATE TABLE closes (
    tenant text NOT NULL DEFAULT current_tenant(), symbol text NOT NULL, days bytea NOT NULL, closes bytea NOT NULL,
    PRIMARY KEY (tenant, symbol)
  );
  ${tenantTable(schema, 'closes', { app: 'SELECT, INSERT, UPDATE' })}
`;
