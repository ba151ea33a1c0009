import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStateDatabase } from '../../../src/store/sqlite/state-database.ts';
import { createWorld, options, play, quickClock, type World } from './world.ts';

const DAY_S = 86_400;

describe('a thread that is shown', () => {
  it('tells who said what, what was called and how that went, and its approvals', async () => {
    const world = await createWorld('deny');
    const agent = await world.agent();
    await play(agent.run({ prompt: 'quote AAPL', thread: 't', context: 'a page' }, options()));
    await play(agent.run({ prompt: 'buy 5 AAPL', thread: 't' }, options()));
    const shown = await agent.thread('t');
    expect(shown).toMatchObject({ thread: 't', status: 'denied', approvals: [{ status: 'denied' }] });
    expect(shown.messages.slice(0, 4)).toEqual([
      { role: 'context', text: 'a page' },
      { role: 'user', text: 'quote AAPL' },
      {
        role: 'agent',
        text: '',
        calls: [{ id: expect.any(String), name: 'get_quote', args: { symbols: ['AAPL'] } }],
      },
      { role: 'tool', call: expect.any(String), name: 'get_quote', ok: true, text: expect.any(String) },
    ]);
    expect(shown.messages.findLast(({ role }) => role === 'tool')).toMatchObject({
      name: 'place_order',
      ok: false,
    });
  });

  it('shows an open order as called and not answered', async () => {
    const world = await createWorld();
    const agent = await world.agent();
    await play(agent.run({ prompt: 'buy 5 AAPL', thread: 't' }, options('detach')));
    const shown = await agent.thread('t');
    expect(shown.messages.map(({ role }) => role)).toEqual(['user', 'agent']);
    expect(shown.approvals).toMatchObject([{ status: 'requested' }]);
  });

  it('is nobody else’s', async () => {
    const world = await createWorld();
    await world.run('who am I', { thread: 't' });
    const mallory = await world.agent({
      session: { ...world.session, user: { ...world.session.user, sub: 'mallory' } },
    });
    await expect(mallory.thread('t')).rejects.toMatchObject({ code: 'not_found' });
    await expect(mallory.deleteThread('t')).rejects.toMatchObject({ code: 'not_found' });
    expect(await mallory.pruneThreads({ olderThan: 0, keep: 0 })).toEqual([]);
  });
});

describe('a thread that is deleted', () => {
  it('leaves nothing in the database', async () => {
    const world = await createWorld('approve');
    const agent = await world.agent();
    await play(agent.run({ prompt: 'buy 5 AAPL', thread: 't' }, options()));
    await agent.deleteThread('t');
    await expect(agent.thread('t')).rejects.toMatchObject({ code: 'not_found' });
    expect(rowsOf(world)).toEqual({
      threads: 0,
      thread_proposals: 0,
      checkpoints: 0,
      writes: 0,
      messages: 0,
    });
  });

  it('is kept while one of its approvals is open', async () => {
    const world = await createWorld();
    const agent = await world.agent();
    const { result } = await play(agent.run({ prompt: 'buy 5 AAPL', thread: 't' }, options('detach')));
    const id = result.approvals[0]?.id ?? '';
    await expect(agent.deleteThread('t')).rejects.toMatchObject({
      code: 'approval_pending',
      hint: expect.stringContaining(`approvals cancel ${id}`),
    });
    await agent.cancelApproval(id);
    await agent.deleteThread('t');
    expect(await agent.threads()).toEqual([]);
  });

  it('is kept while the outcome of its order is unknown', async () => {
    const world = await createWorld();
    world.phone.executions = ['unknown'];
    const agent = await world.agent();
    await play(agent.run({ prompt: 'buy 5 AAPL', thread: 't' }, options('detach')));
    world.phone.decide('AAPL', 'approve');
    await expect(agent.deleteThread('t')).rejects.toMatchObject({ code: 'outcome_unknown' });
    world.phone.settle('AAPL');
    await agent.deleteThread('t');
  });

  it('is kept while a run holds it', async () => {
    const world = await createWorld();
    const agent = await world.agent();
    const stop = new AbortController();
    const events = agent.run({ prompt: 'who am I', thread: 't' }, options('wait', stop.signal));
    for await (const event of events) {
      if (event.type !== 'thread') continue;
      await expect((await world.agent()).deleteThread('t')).rejects.toMatchObject({ code: 'busy' });
    }
    await agent.deleteThread('t');
  });
});

describe('pruning', () => {
  async function fourThreads() {
    const world = await createWorld();
    const days = { a: -40, b: -20, c: -1, d: -50 };
    for (const [thread, ago] of Object.entries(days)) {
      const agent = await world.agent({ clock: quickClock(ago * DAY_S) });
      const prompt = thread === 'd' ? 'buy 5 AAPL' : 'who am I';
      await play(agent.run({ prompt, thread }, options('detach')));
    }
    return { world, agent: await world.agent() };
  }

  it('takes the finished threads of an age, never one with an open approval', async () => {
    const { agent } = await fourThreads();
    const pruning = { olderThan: 30 * DAY_S * 1000, keep: 0 };
    expect(await agent.pruneThreads({ ...pruning, dryRun: true })).toEqual(['a']);
    expect((await agent.threads()).map(({ thread }) => thread)).toEqual(['c', 'b', 'a', 'd']);
    expect(await agent.pruneThreads(pruning)).toEqual(['a']);
    expect((await agent.threads()).map(({ thread }) => thread)).toEqual(['c', 'b', 'd']);
  });

  it('spares the newest', async () => {
    const { agent } = await fourThreads();
    expect(await agent.pruneThreads({ olderThan: 0, keep: 1 })).toEqual(['b', 'a']);
    expect((await agent.threads()).map(({ thread }) => thread)).toEqual(['c', 'd']);
  });

  it('leaves alone a thread that a run holds or that was cut off', async () => {
    const { world, agent } = await fourThreads();
    const database = openStateDatabase(join(world.folder, 'state.db'), world.key);
    database.exec(`UPDATE threads SET status = 'running' WHERE id = 'a'`);
    database.exec(
      `UPDATE threads SET lease_owner = 'elsewhere|1|x', lease_until = ${Date.now() + 60_000} WHERE id = 'b'`,
    );
    database.close();
    expect(await agent.pruneThreads({ olderThan: 0, keep: 0 })).toEqual(['c']);
  });
});

describe('many runs of one thread', () => {
  it('take space for what was said, and no more', async () => {
    const world = await createWorld();
    const agent = await world.agent();
    const context = 'x'.repeat(4096);
    for (let i = 0; i < 40; i++) {
      await play(agent.run({ prompt: 'who am I', thread: 't', context: `${i} ${context}` }, options()));
    }
    expect(rowsOf(world)).toMatchObject({ checkpoints: 1, writes: 0, messages: 40 * 5 });
    await agent.close();
    expect(statSync(join(world.folder, 'state.db')).size).toBeLessThan(40 * 4096 * 3);
  });
});

function rowsOf(world: World): Record<string, unknown> {
  const database = openStateDatabase(join(world.folder, 'state.db'), world.key);
  const tables = ['threads', 'thread_proposals', 'checkpoints', 'writes', 'messages'];
  const counts = tables.map((table) => [table, database.prepare(`SELECT count(*) FROM ${table}`).pluck().get()]);
  database.close();
  return Object.fromEntries(counts);
}
