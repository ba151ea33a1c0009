import type { Proposal } from '../../trading/proposal.ts';
import { mergeSeen, type ThreadProposal, type ThreadProposals } from '../thread-store.ts';
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
  const byId = database.prepare<[string], Row>(
    'SELECT * FROM thread_proposals WHERE proposal = ? ORDER BY rowid',
  );
  const note = database.transaction((seen: ThreadProposal) => {
    const { thread, prompt, toolCallId, attempt, proposal } = seen;
    const merged = mergeSeen(seen, byId.all(proposal.id).map(read));
    const lastSeen = JSON.stringify(merged.kept.proposal);
    database
      .prepare(
        `INSERT INTO thread_proposals (proposal, thread, prompt, tool_call_id, attempt, last_seen)
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      )
      .run(proposal.id, thread, prompt, toolCallId, attempt, lastSeen);
    database
      .prepare('UPDATE thread_proposals SET last_seen = ? WHERE proposal = ?')
      .run(lastSeen, proposal.id);
    return merged;
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
    async get(id, thread) {
      const rows = byId.all(id).map(read);
      return thread === undefined ? rows[0] : rows.find((row) => row.thread === thread);
    },
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
