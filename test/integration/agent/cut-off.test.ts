import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openStateDatabase } from '../../../src/agent/state-database.ts';
import { createThreadStore, type ThreadLease } from '../../../src/agent/thread-store.ts';
import { systemClock } from '../../../src/trading/clock.ts';
import { createWorld, options, play, quickClock } from './world.ts';

/** A state database whose statements with `text` fail from the `nth` on: the process died there, or others keep it busy. */
function failingAt(nth: number, text = 'INTO checkpoints'): typeof openStateDatabase {
  return (file, key) => {
    const database = openStateDatabase(file, key);
    const prepare = database.prepare.bind(database) as (sql: string) => ReturnType<typeof database.prepare>;
    let stored = 0;
    const watched = (sql: string) => {
      const statement = prepare(sql);
      if (!sql.includes(text)) return statement;
      const run = statement.run.bind(statement) as (...values: unknown[]) => unknown;
      return Object.assign(statement, {
        run: (...values: unknown[]) => {
          if (++stored >= nth) throw new Error('died');
          return run(...values);
        },
      });
    };
    return Object.assign(database, { prepare: watched });
  };
}

it('a proposal that leaves no record asks nobody, and does not keep its thread from going on', async () => {
  const world = await createWorld();
  const agent = await world.agent();
  // A folder in the audit log's place: it can't be written, as on a full disk.
  const auditLog = join(world.folder, 'audit.jsonl');
  mkdirSync(auditLog);
  const { result } = await play(agent.run({ prompt: 'buy 5 AAPL' }, options()));
  expect(result).toMatchObject({ status: 'failed', approvals: [{ status: 'cancelled' }], orders: [] });
  expect(world.phone.asked).toHaveLength(0);
  rmSync(auditLog, { recursive: true });
  const next = await play(agent.run({ prompt: 'quote AAPL', thread: result.thread }, options()));
  expect(next.result.status).toBe('done');
});

it('a run that died before its prompt was stored is not "done" when resumed', async () => {
  const world = await createWorld();
  const database = openStateDatabase(join(world.folder, 'state.db'), world.key);
  createThreadStore(database, systemClock).open(
    'cut-off',
    { profile: world.profile.name, sub: world.session.user.sub },
    'buy 5 AAPL',
  );
  database.close();
  const { result } = await play((await world.agent()).resume('cut-off', options()));
  expect(result).toMatchObject({ status: 'failed', error: { code: 'not_found' }, orders: [] });
});

it.each([2, 3, 4, 5])('a run that died before it stored checkpoint %d goes on where it was', async (nth) => {
  const world = await createWorld();
  const dying = await world.agent({ openDatabase: failingAt(nth) });
  const cut = await play(dying.run({ prompt: 'buy 5 AAPL', thread: 't' }, options('detach')));
  expect(cut.result.status).toBe('failed');
  const { result } = await play((await world.agent()).resume('t', options('detach')));
  expect(result).toMatchObject({ status: 'pending', approvals: [{ status: 'requested' }] });
  expect(new Set(world.phone.asked.map(({ details }) => details.identifier)).size).toBe(1);
});

it('a run that was overtaken while it worked out an order proposes none', async () => {
  const world = await createWorld();
  const database = openStateDatabase(join(world.folder, 'state.db'), world.key);
  onTestFinished(() => void database.close());
  const taken: ThreadLease[] = [];
  const slow = await world.agent({
    // Asked as the order is worked out. To this other process the lease has run out, as after a machine's sleep.
    halted: () => {
      taken.push(createThreadStore(database, quickClock(3_600)).lease('t', 'elsewhere|1|a'));
      return false;
    },
  });
  const { result } = await play(slow.run({ prompt: 'buy 5 AAPL', thread: 't' }, options('detach')));
  expect(result).toMatchObject({ status: 'failed', error: { code: 'busy' }, approvals: [] });
  expect(taken).toHaveLength(1);
  taken[0]?.release();
  // A row that belongs to nothing would keep the thread from going on for ever.
  const next = await play((await world.agent()).run({ prompt: 'quote AAPL', thread: 't' }, options()));
  expect(next.result.status).toBe('done');
  expect(world.phone.asked).toHaveLength(0);
});

it.each([
  ['give back its lease of the thread', 'UPDATE threads SET lease_owner = NULL'],
  ['give back its lease of the approval', 'UPDATE approvals SET lease_owner = NULL'],
  ['note how it ended', 'UPDATE threads SET status = ?'],
])('a run that cannot %s tells its result all the same', async (_, statement) => {
  const world = await createWorld();
  world.phone.auto = () => 'approve';
  const agent = await world.agent({ openDatabase: failingAt(1, statement) });
  const { result } = await play(agent.run({ prompt: 'buy 5 AAPL' }, options()));
  expect(result).toMatchObject({ status: 'done', approvals: [{ status: 'executed' }] });
});
