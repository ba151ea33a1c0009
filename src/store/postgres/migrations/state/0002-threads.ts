import { type Migration, tenantTable } from '../../schema.ts';

const rights = { app: 'SELECT, INSERT, UPDATE, DELETE' } as const;

/** Threads, who drives them, and their proposals as they were last seen. `seq` is the order in which they were made. */
export const threads = (schema: string): Migration => `
  CREATE TABLE threads (
    tenant text NOT NULL DEFAULT current_tenant(),
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
    PRIMARY KEY (tenant, id)
  );
  CREATE INDEX threads_by_profile ON threads (tenant, profile, updated_at);
  ${tenantTable(schema, 'threads', rights)}

  CREATE TABLE thread_proposals (
    tenant text NOT NULL DEFAULT current_tenant(),
    proposal text NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    thread text NOT NULL,
    prompt integer NOT NULL,
    tool_call_id text NOT NULL,
    attempt integer NOT NULL,
    last_seen text NOT NULL,
    PRIMARY KEY (tenant, proposal),
    FOREIGN KEY (tenant, thread) REFERENCES threads
  );
  CREATE INDEX thread_proposals_by_thread ON thread_proposals (tenant, thread, prompt);
  ${tenantTable(schema, 'thread_proposals', rights)}
`;
