import type { Migration } from '../migrate.ts';

/**
 * Threads, the latest known states of their proposals, and LangGraph's checkpoints, whose messages are in separate rows
 * (history-saver.ts).
 */
const baseline = `
  CREATE TABLE threads (
    id TEXT PRIMARY KEY,
    profile TEXT NOT NULL,
    sub TEXT,
    title TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'running',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    lease_owner TEXT,
    lease_epoch INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  -- For a repeated order, the gateway returns the open proposal, so two threads may share one.
  CREATE TABLE thread_proposals (
    proposal TEXT NOT NULL,
    thread TEXT NOT NULL REFERENCES threads (id),
    prompt INTEGER NOT NULL,
    tool_call_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    last_seen TEXT NOT NULL,
    PRIMARY KEY (proposal, thread)
  ) STRICT;
  CREATE INDEX thread_proposals_by_thread ON thread_proposals (thread, prompt);
  CREATE TABLE checkpoints (
    thread_id TEXT NOT NULL,
    checkpoint_ns TEXT NOT NULL DEFAULT '',
    checkpoint_id TEXT NOT NULL,
    parent_checkpoint_id TEXT,
    type TEXT,
    checkpoint BLOB,
    metadata BLOB,
    PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)
  );
  CREATE TABLE writes (
    thread_id TEXT NOT NULL,
    checkpoint_ns TEXT NOT NULL DEFAULT '',
    checkpoint_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    idx INTEGER NOT NULL,
    channel TEXT NOT NULL,
    type TEXT,
    value BLOB,
    PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
  );
  CREATE TABLE messages (
    thread_id TEXT NOT NULL,
    hash TEXT NOT NULL,
    type TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (thread_id, hash)
  ) STRICT;
`;

export const stateMigrations: readonly Migration[] = [baseline];
