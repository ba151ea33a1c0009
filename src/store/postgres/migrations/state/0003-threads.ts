import type { Migration } from '../../schema.ts';
import { PERSON_COLUMNS, personTable } from './0002-people.ts';

const rights = { app: 'SELECT, INSERT, UPDATE, DELETE' } as const;

/** Threads, who drives them, and their proposals as they were last seen. `seq` is the order in which they were made. */
export const threads = (schema: string): Migration => `
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
  ${personTable(schema, 'threads', rights)}

  CREATE TABLE thread_proposals (
    ${PERSON_COLUMNS},
    proposal text NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    thread text NOT NULL,
    prompt integer NOT NULL,
    tool_call_id text NOT NULL,
    attempt integer NOT NULL,
    last_seen text NOT NULL,
    PRIMARY KEY (tenant, person, proposal),
    FOREIGN KEY (tenant, person, thread) REFERENCES threads
  );
  CREATE INDEX thread_proposals_by_thread ON thread_proposals (tenant, person, thread, prompt);
  ${personTable(schema, 'thread_proposals', rights)}
`;
