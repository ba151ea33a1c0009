import type { Proposal } from '../../../trading/proposal.ts';
import { mergeSeen, type ThreadProposal, type ThreadProposals } from '../../thread-store.ts';
import type { Unit } from '../tenant-database.ts';
import type { PersonDatabase } from './person-database.ts';

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

/** For who is in a unit of work. */
export async function proposalsOf(unit: Unit, thread: string, prompt?: number): Promise<ThreadProposal[]> {
  const rows = await unit.all<Row>(
    'SELECT * FROM thread_proposals WHERE thread = @thread AND prompt = coalesce(@prompt, prompt) ORDER BY seq',
    { thread, prompt: prompt ?? null },
  );
  return rows.map(read);
}

export function postgresThreadProposals(database: PersonDatabase): ThreadProposals {
  return {
    note: (seen) => database.write((unit) => note(unit, seen)),
    async get(id, thread) {
      const row = await database.read((unit) =>
        unit.last.one<Row>(
          `SELECT * FROM thread_proposals WHERE proposal = @id AND thread = coalesce(@thread, thread)
           ORDER BY seq LIMIT 1`,
          { id, thread: thread ?? null },
        ),
      );
      return row === undefined ? undefined : read(row);
    },
    ofThread: (thread, prompt) => database.read((unit) => proposalsOf(unit, thread, prompt)),
    async list({ profile, sub }) {
      const rows = await database.read((unit) =>
        unit.last.all<Row>(
          `SELECT seen.* FROM thread_proposals AS seen JOIN threads ON threads.id = seen.thread
           WHERE threads.profile = @profile AND (threads.sub IS NULL OR threads.sub = coalesce(@sub, threads.sub))
           ORDER BY seen.seq`,
          { profile, sub: sub ?? null },
        ),
      );
      return rows.map(read);
    },
  };
}

async function note(unit: Unit, seen: ThreadProposal): ReturnType<ThreadProposals['note']> {
  const { thread, prompt, toolCallId, attempt, proposal } = seen;
  const added = await unit.run(
    `INSERT INTO thread_proposals (proposal, thread, prompt, tool_call_id, attempt, last_seen)
     VALUES (@id, @thread, @prompt, @toolCallId, @attempt, @last_seen) ON CONFLICT DO NOTHING`,
    { id: proposal.id, thread, prompt, toolCallId, attempt, last_seen: JSON.stringify(proposal) },
  );
  // Locked before they are read, so that of two writers with different states the newer one wins.
  const rows = await unit.all<Row>(
    'SELECT * FROM thread_proposals WHERE proposal = @id ORDER BY seq FOR UPDATE',
    {
      id: proposal.id,
    },
  );
  const stored = rows.map(read).filter((row) => added === 0 || row.thread !== thread);
  const merged = mergeSeen(seen, stored);
  await unit.last.run('UPDATE thread_proposals SET last_seen = @last_seen WHERE proposal = @id', {
    id: proposal.id,
    last_seen: JSON.stringify(merged.kept.proposal),
  });
  return merged;
}
