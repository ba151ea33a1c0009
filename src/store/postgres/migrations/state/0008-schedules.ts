import { type Migration, tenantTable } from '../../schema.ts';
import { PERSON_COLUMNS, personTable, sweptTable } from './0002-people.ts';

const rights = { app: 'SELECT, INSERT, UPDATE, DELETE' } as const;

/**
 * Schedules and their runs; when each wakes, and at which prices; the market's days, and which worker does what only one should;
 * by which channels a person is told.
 */
export const schedules = (schema: string): Migration => `
  CREATE TABLE schedules (
    ${PERSON_COLUMNS}, id text NOT NULL, seq bigint GENERATED ALWAYS AS IDENTITY,
    name text, definition text NOT NULL, key text NOT NULL, request text NOT NULL,
    PRIMARY KEY (tenant, person, id),
    UNIQUE (tenant, person, name),
    UNIQUE (tenant, person, key)
  );
  ${personTable(schema, 'schedules', rights)}

  -- The epoch is that of the schedule as the run began.
  CREATE TABLE schedule_runs (
    ${PERSON_COLUMNS}, schedule text NOT NULL, epoch bigint NOT NULL,
    ended boolean NOT NULL DEFAULT false, record text NOT NULL,
    PRIMARY KEY (tenant, person, schedule, epoch),
    FOREIGN KEY (tenant, person, schedule) REFERENCES schedules ON DELETE CASCADE
  );
  ${personTable(schema, 'schedule_runs', rights)}

  CREATE TABLE schedule_times (
    tenant text NOT NULL DEFAULT current_tenant(), person text NOT NULL, schedule text NOT NULL,
    timing text NOT NULL, wake_at bigint, queued_at bigint, asked_at bigint NOT NULL DEFAULT 0, asked_by text, answered_at bigint NOT NULL DEFAULT 0,
    handled bigint NOT NULL, pending_due bigint, pending_attempts integer NOT NULL DEFAULT 0,
    epoch bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, person, schedule),
    FOREIGN KEY (tenant, person, schedule) REFERENCES schedules ON DELETE CASCADE
  );
  CREATE INDEX schedule_times_waking ON schedule_times (tenant, wake_at) WHERE wake_at IS NOT NULL;
  CREATE INDEX schedule_times_queued ON schedule_times (tenant, queued_at) WHERE queued_at IS NOT NULL;
  ${sweptTable(schema, 'schedule_times', rights)}

  -- Limits are turned so that beyond is always more: those of below and down stand with the opposite sign.
  CREATE TABLE conditions (
    tenant text NOT NULL DEFAULT current_tenant(), person text NOT NULL, schedule text NOT NULL,
    rule text NOT NULL, symbol text NOT NULL, side text NOT NULL,
    threshold numeric NOT NULL, back numeric NOT NULL, armed boolean NOT NULL DEFAULT true,
    turned_at bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, person, schedule, rule, symbol, side),
    FOREIGN KEY (tenant, person, schedule) REFERENCES schedules ON DELETE CASCADE
  );
  CREATE INDEX conditions_armed ON conditions (tenant, symbol, side, threshold) WHERE armed;
  CREATE INDEX conditions_fired ON conditions (tenant, symbol, side, back) WHERE NOT armed;
  ${sweptTable(schema, 'conditions', rights)}

  CREATE TABLE calendars (
    tenant text NOT NULL DEFAULT current_tenant(), calendar text NOT NULL,
    PRIMARY KEY (tenant)
  );
  ${tenantTable(schema, 'calendars', { app: 'SELECT, INSERT, UPDATE' })}

  CREATE TABLE worker_leases (
    tenant text NOT NULL DEFAULT current_tenant(), name text NOT NULL,
    holder text NOT NULL, until timestamptz NOT NULL,
    PRIMARY KEY (tenant, name)
  );
  ${tenantTable(schema, 'worker_leases', rights)}

  -- What is secret of a channel is in the person's credentials.
  CREATE TABLE notice_channels (
    ${PERSON_COLUMNS}, name text NOT NULL, channel text NOT NULL,
    PRIMARY KEY (tenant, person, name)
  );
  ${personTable(schema, 'notice_channels', rights)}
`;
