import { type Migration, tenantTable } from '../../schema.ts';
import { PERSON_COLUMNS, personTable, sweptTable } from './0002-people.ts';

const rights = { app: 'SELECT, INSERT, UPDATE, DELETE' } as const;

/**
 * Runs of a server's agents, what each told so far, and when somebody is to look at one again: `run_due` names whose and which, and
 * nothing else, so that one look finds those of all people. And the proofs of possession that came to the server's door.
 */
export const runs = (schema: string): Migration => `
  CREATE TABLE runs (
    ${PERSON_COLUMNS},
    id text NOT NULL,
    thread text NOT NULL,
    client text NOT NULL,
    idempotency_key text NOT NULL,
    -- Digest of what was asked for under that key.
    request text NOT NULL,
    -- Null where a thread is gone on with.
    input text,
    options text NOT NULL,
    scopes text NOT NULL,
    state text NOT NULL CHECK (state IN ('queued', 'running', 'waiting', 'ended')),
    stopping boolean NOT NULL DEFAULT false,
    -- How many prompts the thread had before it; null until it is first begun.
    prompts integer,
    -- Raised by each job that takes it up: what an earlier one still writes is refused.
    epoch integer NOT NULL DEFAULT 0,
    events integer NOT NULL DEFAULT 0,
    -- Proposals, while it waits for what becomes of them.
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
  ${personTable(schema, 'runs', rights)}

  CREATE TABLE run_events (
    ${PERSON_COLUMNS},
    run text NOT NULL,
    seq integer NOT NULL,
    event text NOT NULL,
    PRIMARY KEY (tenant, person, run, seq),
    FOREIGN KEY (tenant, person, run) REFERENCES runs ON DELETE CASCADE
  );
  ${personTable(schema, 'run_events', { app: 'SELECT, INSERT, DELETE' })}

  CREATE TABLE run_due (
    tenant text NOT NULL DEFAULT current_tenant(),
    person text NOT NULL,
    run text NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (tenant, person, run)
  );
  CREATE INDEX run_due_at ON run_due (tenant, at);
  ${sweptTable(schema, 'run_due', rights)}

  CREATE TABLE server_dpop_proofs (
    tenant text NOT NULL DEFAULT current_tenant(),
    proof bytea NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant, proof)
  );
  CREATE INDEX server_dpop_proofs_over ON server_dpop_proofs (expires_at);
  ${tenantTable(schema, 'server_dpop_proofs', { app: rights.app, sweeper: 'SELECT, DELETE' })}
`;
