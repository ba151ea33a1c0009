import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { acquireThread } from '../../../src/agent/run/threads.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { openStateDatabase } from '../../../src/store/sqlite/state-database.ts';
import { createSqliteStateStores } from '../../../src/store/sqlite/state-stores.ts';
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

it('a run that died before its prompt was stored is not "done" when resumed', async () => {
  const world = await createWorld();
  const database = openStateDatabase(join(world.folder, 'state.db'), world.key);
  const owner = { profile: world.profile.name, sub: world.session.user.sub };
  const { threads } = createSqliteStateStores(database);
  const begun = await acquireThread(
    threads,
    { title: 'buy 5 AAPL', thread: 'cut-off' },
    { owner, holder: 'gone', clock: systemClock },
  );
  await threads.end(begun.lease, undefined, systemClock.now());
  database.close();
  const { result } = await world.resume('cut-off');
  expect(result).toMatchObject({ status: 'failed', error: { code: 'not_found' }, orders: [] });
});

it.each([2, 3, 4, 5, 6])(
  'a run that died before it stored checkpoint %d goes on where it was, with one proposal',
  async (nth) => {
    const world = await createWorld();
    const dying = await world.agent({ openDatabase: failingAt(nth) });
    const cut = await play(dying.run({ prompt: 'buy 5 AAPL', thread: 't' }, options('detach')));
    expect(cut.result.status).not.toBe('done');
    const { result } = await world.resume('t', 'detach');
    expect(result).toMatchObject({ status: 'pending', approvals: [{ status: 'requested' }] });
    expect(world.phone.asked).toHaveLength(1);
    expect(new Set(world.phone.posts.map(({ key }) => key)).size).toBe(1);
  },
);

it('a run that died before its table knew the proposal finds it again', async () => {
  const world = await createWorld();
  const dying = await world.agent({ openDatabase: failingAt(1, 'INTO thread_proposals') });
  await play(dying.run({ prompt: 'buy 5 AAPL', thread: 't' }, options('detach')));
  world.phone.decide('AAPL', 'approve');
  const { result } = await world.resume('t');
  expect(result).toMatchObject({ status: 'done', orders: [{ status: 'filled' }] });
  expect(world.gateway.book).toHaveLength(1);
});

it('a run that was overtaken while it worked out an order proposes none', async () => {
  const world = await createWorld();
  const database = openStateDatabase(join(world.folder, 'state.db'), world.key);
  onTestFinished(() => void database.close());
  const { threads } = createSqliteStateStores(database);
  const owner = { profile: world.profile.name, sub: world.session.user.sub };
  const taken: Promise<unknown>[] = [];
  // Asked while the message is put together. To this other process the lease has run out, as after a machine's sleep.
  world.gateway.onRequest = ({ url }) => {
    if (url?.startsWith('/v1/positions') && taken.length === 0)
      taken.push(acquireThread(threads, { resume: 't' }, { owner, holder: 'elsewhere|1|a', clock: quickClock(3_600) }));
  };
  const prompt = 'send my portfolio to slack #trading';
  const { result } = await world.run(prompt, { approval: 'detach', thread: 't' });
  expect(result).toMatchObject({ status: 'failed', error: { code: 'busy' }, approvals: [] });
  expect(await Promise.all(taken)).toHaveLength(1);
  expect(world.phone.asked).toHaveLength(0);
});

it.each([
  ['give back its lease of the thread', 'UPDATE threads SET lease_owner = NULL'],
  ['note how it ended', 'UPDATE threads SET status = ?'],
])('a run that cannot %s tells its result all the same', async (_, statement) => {
  const world = await createWorld('approve');
  const agent = await world.agent({ openDatabase: failingAt(1, statement) });
  const { result } = await play(agent.run({ prompt: 'buy 5 AAPL' }, options()));
  expect(result).toMatchObject({ status: 'done', approvals: [{ status: 'executed' }] });
});
