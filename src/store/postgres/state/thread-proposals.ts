import type { Proposal } from '../../../trading/proposal.ts';
import { isOlder, type ThreadProposal, type ThreadProposals } from '../../thread-store.ts';
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
    async get(id) {
      const row = await database.read((unit) =>
        unit.last.one<Row>('SELECT * FROM thread_proposals WHERE proposal = @id', { id }),
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
  const last_seen = JSON.stringify(proposal);
  const added = await unit.run(
    `INSERT INTO thread_proposals (proposal, thread, prompt, tool_call_id, attempt, last_seen)
     VALUES (@id, @thread, @prompt, @toolCallId, @attempt, @last_seen) ON CONFLICT DO NOTHING`,
    { id: proposal.id, thread, prompt, toolCallId, attempt, last_seen },
  );
  if (added === 1) return { before: undefined, kept: seen };
  // Locked before it is looked at: of two who saw other moments of it, the later one's stays.
  const row = await unit.one<Row>('SELECT * FROM thread_proposals WHERE proposal = @id FOR UPDATE', {
    id: proposal.id,
  });
  if (row === undefined) throw new Error('a proposal went away while it was noted');
  const before = read(row);
  if (isOlder(proposal, before.proposal)) return { before: before.proposal, kept: before };
  await unit.run('UPDATE thread_proposals SET last_seen = @last_seen WHERE proposal = @id', {
    id: proposal.id,
    last_seen,
  });
  return { before: before.proposal, kept: { ...before, proposal } };
}
