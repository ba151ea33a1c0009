import type { Proposal } from '../../trading/proposal.ts';
import { mergeProposal, type ThreadProposal, type ThreadProposalStore } from '../thread-store.ts';
import { all, type Dialect, run, type SqlTransactions, type TransactionWork } from './sql-database.ts';

interface Row {
  readonly thread: string;
  readonly prompt: number;
  readonly tool_call_id: string;
  readonly attempt: number;
  readonly last_seen: string;
}

const toThreadProposal = ({ tool_call_id, last_seen, thread, prompt, attempt }: Row): ThreadProposal => ({
  thread,
  prompt,
  toolCallId: tool_call_id,
  attempt,
  proposal: JSON.parse(last_seen) as Proposal,
});

export function* readThreadProposals(
  { place }: Dialect,
  thread: string,
  prompt?: number,
): TransactionWork<ThreadProposal[]> {
  const rows = yield* all<Row>(
    `SELECT * FROM thread_proposals WHERE thread = @thread AND prompt = coalesce(@prompt, prompt) ORDER BY ${place}`,
    { thread, prompt: prompt ?? null },
  );
  return rows.map(toThreadProposal);
}

export function createThreadProposalStore(database: SqlTransactions): ThreadProposalStore {
  const { place, forUpdate } = database.dialect;
  return {
    note: (seen) =>
      database.write(function* () {
        const { thread, prompt, toolCallId, attempt, proposal } = seen;
        const { id } = proposal;
        const added = yield* run(
          `INSERT INTO thread_proposals (proposal, thread, prompt, tool_call_id, attempt, last_seen)
           VALUES (@id, @thread, @prompt, @toolCallId, @attempt, @lastSeen) ON CONFLICT DO NOTHING`,
          { id, thread, prompt, toolCallId, attempt, lastSeen: JSON.stringify(proposal) },
        );
        // Locks the rows before reading them, so that if two callers write at the same time, the newer state wins.
        const rows = yield* all<Row>(
          `SELECT * FROM thread_proposals WHERE proposal = @id ORDER BY ${place}${forUpdate}`,
          { id },
        );
        const stored = rows.map(toThreadProposal).filter((row) => added === 0 || row.thread !== thread);
        const merged = mergeProposal(seen, stored);
        yield* run('UPDATE thread_proposals SET last_seen = @lastSeen WHERE proposal = @id', {
          id,
          lastSeen: JSON.stringify(merged.kept.proposal),
        });
        return merged;
      }),
    async get(id, thread) {
      const row = await database.one<Row>(
        `SELECT * FROM thread_proposals WHERE proposal = @id AND thread = coalesce(@thread, thread)
         ORDER BY ${place} LIMIT 1`,
        { id, thread: thread ?? null },
      );
      return row && toThreadProposal(row);
    },
    byThread: (thread, prompt) => database.read(() => readThreadProposals(database.dialect, thread, prompt)),
    async list({ profile, sub }) {
      const rows = await database.all<Row>(
        `SELECT seen.* FROM thread_proposals AS seen JOIN threads ON threads.id = seen.thread
         WHERE threads.profile = @profile AND (threads.sub IS NULL OR threads.sub = coalesce(@sub, threads.sub))
         ORDER BY seen.${place}`,
        { profile, sub: sub ?? null },
      );
      return rows.map(toThreadProposal);
    },
  };
}
