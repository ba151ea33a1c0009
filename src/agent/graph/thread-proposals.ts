import type { StateDatabase } from '../../store/sqlite/state-database.ts';
import { isSettledState, type Proposal } from '../../trading/proposal.ts';

/** A proposal of a thread's, as it was last seen; the gateway's word is the one that counts. */
export interface ThreadProposal {
  readonly thread: string;
  /** Which prompt of the thread it belongs to, counted from 1. */
  readonly prompt: number;
  readonly toolCallId: string;
  readonly attempt: number;
  readonly proposal: Proposal;
}

/** Which proposals are whose, so that a thread knows its own without asking anybody. */
export interface ThreadProposals {
  /** Keeps it, or what was seen of it since; what was seen before is not put back. Returns it as it is kept then. */
  note(seen: ThreadProposal): ThreadProposal;
  get(id: string): ThreadProposal | undefined;
  /** Oldest first. @param prompt one prompt's */
  ofThread(thread: string, prompt?: number): ThreadProposal[];
  /** A user's, oldest first. */
  list(owner: { readonly profile: string; readonly sub: string | undefined }): ThreadProposal[];
}

interface Row {
  thread: string;
  prompt: number;
  tool_call_id: string;
  attempt: number;
  last_seen: string;
}

const read = (row: Row): ThreadProposal => ({
  thread: row.thread,
  prompt: row.prompt,
  toolCallId: row.tool_call_id,
  attempt: row.attempt,
  proposal: JSON.parse(row.last_seen) as Proposal,
});

export function createThreadProposals(database: StateDatabase): ThreadProposals {
  const byId = database.prepare<[string], Row>('SELECT * FROM thread_proposals WHERE proposal = ?');
  const store: ThreadProposals = {
    note: (seen) =>
      database
        .transaction(() => {
          const before = store.get(seen.proposal.id);
          if (before !== undefined && isOlder(seen.proposal, before.proposal)) return before;
          database
            .prepare(
              `INSERT INTO thread_proposals (proposal, thread, prompt, tool_call_id, attempt, last_seen)
               VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (proposal) DO UPDATE SET last_seen = excluded.last_seen`,
            )
            .run(
              seen.proposal.id,
              seen.thread,
              seen.prompt,
              seen.toolCallId,
              seen.attempt,
              JSON.stringify(seen.proposal),
            );
          return before === undefined ? seen : { ...before, proposal: seen.proposal };
        })
        .immediate(),
    get(id) {
      const row = byId.get(id);
      return row === undefined ? undefined : read(row);
    },
    ofThread: (thread, prompt) =>
      database
        .prepare<unknown[], Row>(
          `SELECT * FROM thread_proposals WHERE thread = ?${prompt === undefined ? '' : ' AND prompt = ?'} ORDER BY rowid`,
        )
        .all(...(prompt === undefined ? [thread] : [thread, prompt]))
        .map(read),
    list: ({ profile, sub }) =>
      database
        .prepare<[string, string | null], Row>(
          `SELECT seen.* FROM thread_proposals AS seen JOIN threads ON threads.id = seen.thread
           WHERE threads.profile = ? AND (threads.sub IS NULL OR threads.sub = coalesce(?, threads.sub))
           ORDER BY seen.rowid`,
        )
        .all(profile, sub ?? null)
        .map(read),
  };
  return store;
}

/** A slow answer may tell of a moment that is over. */
function isOlder(seen: Proposal, kept: Proposal): boolean {
  if (isSettledState(kept.state) && !isSettledState(seen.state)) return true;
  return Date.parse(seen.updated_at) < Date.parse(kept.updated_at);
}
