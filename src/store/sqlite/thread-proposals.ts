import type { Proposal } from '../../trading/proposal.ts';
import { isOlder, type ThreadProposal, type ThreadProposals } from '../thread-store.ts';
import type { StateDatabase } from './state-database.ts';

interface Row {
  readonly thread: string;
  readonly prompt: number;
  readonly tool_call_id: string;
  readonly attempt: number;
  readonly last_seen: string;
}

const read = (row: Row): ThreadProposal => ({
  thread: row.thread,
  prompt: row.prompt,
  toolCallId: row.tool_call_id,
  attempt: row.attempt,
  proposal: JSON.parse(row.last_seen) as Proposal,
});

export function sqliteThreadProposals(database: StateDatabase): ThreadProposals & {
  /** For who is in a transaction. */
  readonly proposalsOf: (thread: string, prompt?: number) => ThreadProposal[];
} {
  const byId = database.prepare<[string], Row>('SELECT * FROM thread_proposals WHERE proposal = ?');
  const get = (id: string): ThreadProposal | undefined => {
    const row = byId.get(id);
    return row === undefined ? undefined : read(row);
  };
  const note = database.transaction((seen: ThreadProposal) => {
    const { thread, prompt, toolCallId, attempt, proposal } = seen;
    const before = get(proposal.id);
    if (before !== undefined && isOlder(proposal, before.proposal))
      return { before: before.proposal, kept: before };
    database
      .prepare(
        `INSERT INTO thread_proposals (proposal, thread, prompt, tool_call_id, attempt, last_seen)
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (proposal) DO UPDATE SET last_seen = excluded.last_seen`,
      )
      .run(proposal.id, thread, prompt, toolCallId, attempt, JSON.stringify(proposal));
    return { before: before?.proposal, kept: before === undefined ? seen : { ...before, proposal } };
  });
  const proposalsOf = (thread: string, prompt?: number): ThreadProposal[] =>
    database
      .prepare<unknown[], Row>(
        `SELECT * FROM thread_proposals WHERE thread = ?${prompt === undefined ? '' : ' AND prompt = ?'} ORDER BY rowid`,
      )
      .all(...(prompt === undefined ? [thread] : [thread, prompt]))
      .map(read);
  return {
    note: async (seen) => note.immediate(seen),
    get: async (id) => get(id),
    ofThread: async (thread, prompt) => proposalsOf(thread, prompt),
    list: async ({ profile, sub }) =>
      database
        .prepare<[string, string | null], Row>(
          `SELECT seen.* FROM thread_proposals AS seen JOIN threads ON threads.id = seen.thread
           WHERE threads.profile = ? AND (threads.sub IS NULL OR threads.sub = coalesce(?, threads.sub))
           ORDER BY seen.rowid`,
        )
        .all(profile, sub ?? null)
        .map(read),
    proposalsOf,
  };
}
