import {
  appRole,
  type DatabaseSchema,
  rateBucketTableMigration,
  tenancyMigration,
  tenantTableMigration,
} from '../schema.ts';

const schema = 'trade_agent_state';

const rights = { app: 'SELECT, INSERT, UPDATE, DELETE' } as const;

/** The first columns of each table that has people's rows. They also come first in the table's primary key. */
const PERSON_COLUMNS = 'tenant text NOT NULL DEFAULT current_tenant(), person text NOT NULL DEFAULT current_person()';

/**
 * Secures a table that a sweep reads. A sweep sees all of the tenant's rows, and a person's transaction sees only that
 * person's rows. Such a table may contain times, limits and IDs, but no other personal data.
 */
const sweptTable = (table: string, rights: { readonly app: string }): string => `
  ${tenantTableMigration(schema, table, rights)}
  CREATE POLICY of_person ON ${table} AS RESTRICTIVE TO ${appRole(schema)}, CURRENT_USER
    USING (coalesce(current_setting('ta.person', true), '') IN ('', person))
    WITH CHECK (coalesce(current_setting('ta.person', true), '') IN ('', person));
`;

/**
 * Secures a table: a tenant can use only its own rows, and a person only their own among the tenant's. Names of
 * threads and accounts therefore need to be unique only per person.
 */
const personTable = (table: string, rights: { readonly app: string }): string => `
  ${tenantTableMigration(schema, table, rights)}
  CREATE POLICY of_person ON ${table} AS RESTRICTIVE TO ${appRole(schema)}, CURRENT_USER
    USING (person = current_person()) WITH CHECK (person = current_person());
`;

/** Defines the function that returns the current transaction's person (`limitToPerson`). */
const people = `
  CREATE FUNCTION current_person() RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
  DECLARE person text := current_setting('ta.person', true);
  BEGIN
    IF person IS NULL OR person = '' THEN
      RAISE EXCEPTION 'no person is set' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN person;
  END $$;
`;

/** Threads with their leases, and the latest known states of the threads' proposals. `seq` is the creation order. */
const threads = `
  CREATE TABLE threads (
    ${PERSON_COLUMNS},
    id text NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    profile text NOT NULL,
    sub text,
    title text NOT NULL,
    status text NOT NULL DEFAULT 'running',
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    lease_owner text,
    lease_epoch bigint NOT NULL,
    lease_until bigint NOT NULL,
    PRIMARY KEY (tenant, person, id)
  );
  CREATE INDEX threads_by_profile ON threads (tenant, person, profile, updated_at);
  ${personTable('threads', rights)}

  -- For a repeated order, the gateway returns the open proposal, so two threads may share one.
  CREATE TABLE thread_proposals (
    ${PERSON_COLUMNS},
    proposal text NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    thread text NOT NULL,
    prompt integer NOT NULL,
    tool_call_id text NOT NULL,
    attempt integer NOT NULL,
    last_seen text NOT NULL,
    PRIMARY KEY (tenant, person, proposal, thread),
    FOREIGN KEY (tenant, person, thread) REFERENCES threads
  );
  CREATE INDEX thread_proposals_by_thread ON thread_proposals (tenant, person, thread, prompt);
  ${personTable('thread_proposals', rights)}
`;

/**
 * LangGraph's checkpoints (checkpoint-row-converter.ts). Checkpoint IDs increase in byte order, so the ID columns are
 * compared with collation "C".
 */
const checkpoints = `
  CREATE TABLE checkpoints (
    ${PERSON_COLUMNS},
    thread_id text NOT NULL,
    checkpoint_ns text COLLATE "C" NOT NULL,
    checkpoint_id text COLLATE "C" NOT NULL,
    parent_checkpoint_id text,
    type text NOT NULL,
    checkpoint bytea NOT NULL,
    metadata bytea NOT NULL,
    PRIMARY KEY (tenant, person, thread_id, checkpoint_ns, checkpoint_id)
  );
  ${personTable('checkpoints', rights)}

  CREATE TABLE writes (
    ${PERSON_COLUMNS},
    thread_id text NOT NULL,
    checkpoint_ns text COLLATE "C" NOT NULL,
    checkpoint_id text COLLATE "C" NOT NULL,
    task_path text COLLATE "C" NOT NULL,
    task_id text COLLATE "C" NOT NULL,
    idx integer NOT NULL,
    channel text NOT NULL,
    type text NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (tenant, person, thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
  );
  ${personTable('writes', rights)}

  CREATE TABLE messages (
    ${PERSON_COLUMNS},
    thread_id text NOT NULL,
    hash text NOT NULL,
    type text NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (tenant, person, thread_id, hash)
  );
  ${personTable('messages', rights)}
`;

/** State between checks: firings, high-water marks, proposals, prices, activities, notices, imported activities. */
const checks = `
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
    .map((table) => personTable(table, { app: 'SELECT, INSERT, UPDATE, DELETE' }))
    .join('')}

  -- Market prices are not personal, so they are read once per tenant.
  CREATE TABLE closes (
    tenant text NOT NULL DEFAULT current_tenant(), symbol text NOT NULL, days bytea NOT NULL, closes bytea NOT NULL,
    PRIMARY KEY (tenant, symbol)
  );
  ${tenantTableMigration(schema, 'closes', { app: 'SELECT, INSERT, UPDATE' })}
`;

/**
 * People's secrets. They are sealed with the tenant's data keys, which a key management service wrapped.
 * `credential_holders` lists the people who have secrets; a person's row is locked while their secrets change. A data
 * key is kept as long as any secret is sealed with it.
 */
const credentials = `
  CREATE TABLE data_keys (
    tenant text NOT NULL DEFAULT current_tenant(),
    version integer NOT NULL CHECK (version > 0),
    wrapped text NOT NULL,
    PRIMARY KEY (tenant, version)
  );
  ${tenantTableMigration(schema, 'data_keys', { app: 'SELECT, INSERT, UPDATE' })}

  CREATE TABLE credential_holders (
    tenant text NOT NULL DEFAULT current_tenant(),
    person text NOT NULL,
    PRIMARY KEY (tenant, person)
  );
  ${tenantTableMigration(schema, 'credential_holders', { app: 'SELECT, INSERT, UPDATE, DELETE' })}

  CREATE TABLE credentials (
    ${PERSON_COLUMNS},
    name text NOT NULL,
    key_version integer NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (tenant, person, name),
    FOREIGN KEY (tenant, person) REFERENCES credential_holders,
    FOREIGN KEY (tenant, key_version) REFERENCES data_keys
  );
  ${personTable('credentials', { app: 'SELECT, INSERT, UPDATE, DELETE' })}

  -- The holder of an epoch has the lease exclusively until the given time, by the server clock.
  CREATE TABLE credential_leases (
    ${PERSON_COLUMNS},
    purpose text NOT NULL,
    epoch bigint NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (tenant, person, purpose)
  );
  ${personTable('credential_leases', { app: 'SELECT, INSERT, UPDATE' })}
`;

/**
 * Runs of a server's agents, the runs' events, the times when a worker must check each run, and the DPoP proofs that
 * the server has accepted. `run_due` contains only IDs of people and runs, so that one query can find everyone's due
 * runs.
 */
const runs = `
  CREATE TABLE runs (
    ${PERSON_COLUMNS},
    id text NOT NULL,
    thread text NOT NULL,
    client text NOT NULL,
    idempotency_key text NOT NULL,
    -- Digest of the request with that key.
    request text NOT NULL,
    -- Null if the run resumes a thread.
    input text,
    options text NOT NULL,
    scopes text NOT NULL,
    -- The trace that the run continues.
    trace text,
    state text NOT NULL CHECK (state IN ('queued', 'running', 'waiting', 'ended')),
    stopping boolean NOT NULL DEFAULT false,
    -- Number of prompts in the thread before this run. Null until the run first starts.
    prompts integer,
    -- Incremented by each job that claims the run, so that later writes of an earlier job are rejected.
    epoch integer NOT NULL DEFAULT 0,
    events integer NOT NULL DEFAULT 0,
    -- Proposals for whose outcome the run waits.
    waits_for text[] NOT NULL DEFAULT '{}',
    waits_since bigint,
    waits_until bigint,
    created_at bigint NOT NULL,
    ended_at bigint,
    PRIMARY KEY (tenant, person, id),
    UNIQUE (tenant, person, client, idempotency_key),
    CHECK ((state = 'ended') = (ended_at IS NOT NULL))
  );
  CREATE INDEX runs_open ON runs (tenant, person) WHERE state <> 'ended';
  ${personTable('runs', rights)}

  CREATE TABLE run_events (
    ${PERSON_COLUMNS},
    run text NOT NULL,
    seq integer NOT NULL,
    event text NOT NULL,
    PRIMARY KEY (tenant, person, run, seq),
    FOREIGN KEY (tenant, person, run) REFERENCES runs ON DELETE CASCADE
  );
  ${personTable('run_events', { app: 'SELECT, INSERT, DELETE' })}

  CREATE TABLE run_due (
    tenant text NOT NULL DEFAULT current_tenant(),
    person text NOT NULL,
    run text NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (tenant, person, run)
  );
  CREATE INDEX run_due_at ON run_due (tenant, at);
  ${sweptTable('run_due', rights)}

  CREATE TABLE server_dpop_proofs (
    tenant text NOT NULL DEFAULT current_tenant(),
    proof bytea NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant, proof)
  );
  CREATE INDEX server_dpop_proofs_over ON server_dpop_proofs (expires_at);
  ${tenantTableMigration(schema, 'server_dpop_proofs', { app: rights.app, sweeper: 'SELECT, DELETE' })}
`;

/** Schedules with their runs, wake times and conditions; the market calendar; leases; notice channels. */
const schedules = `
  CREATE TABLE schedules (
    ${PERSON_COLUMNS}, id text NOT NULL, seq bigint GENERATED ALWAYS AS IDENTITY,
    name text, definition text NOT NULL, key text NOT NULL, request text NOT NULL,
    PRIMARY KEY (tenant, person, id),
    UNIQUE (tenant, person, name),
    UNIQUE (tenant, person, key)
  );
  ${personTable('schedules', rights)}

  -- The epoch of the schedule when the run started.
  CREATE TABLE schedule_runs (
    ${PERSON_COLUMNS}, schedule text NOT NULL, epoch bigint NOT NULL,
    ended boolean NOT NULL DEFAULT false, record text NOT NULL,
    PRIMARY KEY (tenant, person, schedule, epoch),
    FOREIGN KEY (tenant, person, schedule) REFERENCES schedules ON DELETE CASCADE
  );
  ${personTable('schedule_runs', rights)}

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
  ${sweptTable('schedule_times', rights)}

  -- Limits are stored so that crossing always means greater: those of below and down are negated.
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
  ${sweptTable('conditions', rights)}

  CREATE TABLE calendars (
    tenant text NOT NULL DEFAULT current_tenant(), calendar text NOT NULL,
    PRIMARY KEY (tenant)
  );
  ${tenantTableMigration(schema, 'calendars', { app: 'SELECT, INSERT, UPDATE' })}

  CREATE TABLE worker_leases (
    tenant text NOT NULL DEFAULT current_tenant(), name text NOT NULL,
    holder text NOT NULL, until timestamptz NOT NULL,
    PRIMARY KEY (tenant, name)
  );
  ${tenantTableMigration(schema, 'worker_leases', rights)}

  -- Secrets of channels are in the credentials table.
  CREATE TABLE notice_channels (
    ${PERSON_COLUMNS}, name text NOT NULL, channel text NOT NULL,
    PRIMARY KEY (tenant, person, name)
  );
  ${personTable('notice_channels', rights)}
`;

/** State of many people's agents: threads, checks, sealed secrets, runs and schedules. */
export const stateSchema: DatabaseSchema = {
  name: schema,
  migrations: [
    tenancyMigration(schema) +
      people +
      threads +
      checkpoints +
      checks +
      credentials +
      runs +
      schedules +
      rateBucketTableMigration(schema),
  ],
};
