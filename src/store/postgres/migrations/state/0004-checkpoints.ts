import type { Migration } from '../../schema.ts';
import { PERSON_COLUMNS, personTable } from './0002-people.ts';

const rights = { app: 'SELECT, INSERT, UPDATE, DELETE' } as const;

/** LangGraph's checkpoints (checkpoint-rows.ts). Ids rise with time, byte by byte: what is compared is so collated. */
export const checkpoints = (schema: string): Migration => `
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
  ${personTable(schema, 'checkpoints', rights)}

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
  ${personTable(schema, 'writes', rights)}

  CREATE TABLE messages (
    ${PERSON_COLUMNS},
    thread_id text NOT NULL,
    hash text NOT NULL,
    type text NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (tenant, person, thread_id, hash)
  );
  ${personTable(schema, 'messages', rights)}
`;
