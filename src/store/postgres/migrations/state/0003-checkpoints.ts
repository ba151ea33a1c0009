import { type Migration, tenantTable } from '../../schema.ts';

const rights = { app: 'SELECT, INSERT, UPDATE, DELETE' } as const;

/** LangGraph's checkpoints (checkpoint-rows.ts). Ids rise with time, byte by byte: what is compared is so collated. */
export const checkpoints = (schema: string): Migration => `
  CREATE TABLE checkpoints (
    tenant text NOT NULL DEFAULT current_tenant(),
    thread_id text NOT NULL,
    checkpoint_ns text COLLATE "C" NOT NULL,
    checkpoint_id text COLLATE "C" NOT NULL,
    parent_checkpoint_id text,
    type text NOT NULL,
    checkpoint bytea NOT NULL,
    metadata bytea NOT NULL,
    PRIMARY KEY (tenant, thread_id, checkpoint_ns, checkpoint_id)
  );
  ${tenantTable(schema, 'checkpoints', rights)}

  CREATE TABLE writes (
    tenant text NOT NULL DEFAULT current_tenant(),
    thread_id text NOT NULL,
    checkpoint_ns text COLLATE "C" NOT NULL,
    checkpoint_id text COLLATE "C" NOT NULL,
    task_path text COLLATE "C" NOT NULL,
    task_id text COLLATE "C" NOT NULL,
    idx integer NOT NULL,
    channel text NOT NULL,
    type text NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (tenant, thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
  );
  ${tenantTable(schema, 'writes', rights)}

  CREATE TABLE messages (
    tenant text NOT NULL DEFAULT current_tenant(),
    thread_id text NOT NULL,
    hash text NOT NULL,
    type text NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (tenant, thread_id, hash)
  );
  ${tenantTable(schema, 'messages', rights)}
`;
