import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { awaitAllCallbacks } from '@langchain/core/callbacks/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openStateDatabase } from '../../../src/store/sqlite/state-database.ts';
import { createWorld, options, play, type World } from './world.ts';

describe('a finished thread', () => {
  it('keeps its latest checkpoint alone, and goes on from it', async () => {
    const world = await createWorld('approve');
    for (const prompt of ['buy 5 AAPL', 'quote AAPL', 'what do I own']) {
      await world.run(prompt, { thread: 't' });
    }
    const database = openStateDatabase(join(world.folder, 'state.db'), world.key);
    const count = (table: string) => database.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
    expect([count('checkpoints'), count('writes')]).toEqual([1, 0]);
    database.close();
    const { result } = await world.resume('t');
    expect(result).toMatchObject({ status: 'done', text: expect.stringContaining('MSFT') });
  });

  it('is told nobody, though the environment asks LangChain to trace', async () => {
    let traces = 0;
    const tracing = createServer((_, response) => {
      traces += 1;
      response.end('{}');
    }).listen(0, '127.0.0.1');
    await once(tracing, 'listening');
    vi.stubEnv('LANGSMITH_TRACING', 'true');
    vi.stubEnv('LANGSMITH_API_KEY', 'key');
    vi.stubEnv('LANGSMITH_ENDPOINT', `http://127.0.0.1:${(tracing.address() as AddressInfo).port}`);
    onTestFinished(() => {
      vi.unstubAllEnvs();
      tracing.close();
    });
    const agent = await (await createWorld()).agent();
    await play(agent.run({ prompt: 'what do I own' }, options()));
    await awaitAllCallbacks();
    expect(traces).toBe(0);
  });
});

describe('the state database', () => {
  it('holds no token, neither opened with its key nor in its bytes', async () => {
    const world = await createWorld();
    const { result } = await world.run('buy 5 AAPL', 'detach');
    expectNoToken(world);
    world.phone.decide('AAPL', 'approve');
    await world.resume(result.thread);
    expectNoToken(world);
  });
});

function expectNoToken(world: World): void {
  for (const file of readdirSync(world.folder)) {
    const bytes = readFileSync(join(world.folder, file));
    expect(bytes.includes('AAPL'), `${file} is encrypted`).toBe(false);
  }
  const database = openStateDatabase(join(world.folder, 'state.db'), world.key);
  for (const { name } of database.prepare<[], { name: string }>('SELECT name FROM sqlite_master').all()) {
    const rows = JSON.stringify(
      tryAll(() => database.prepare(`SELECT * FROM "${name}"`).all()),
      (_, value) => (value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value),
    );
    expect(rows.includes('PLANTED-SESSION'), name).toBe(false);
  }
  database.close();
}

/** Indexes have names too, but can't be read. */
function tryAll(read: () => unknown[]): unknown[] {
  try {
    return read();
  } catch {
    return [];
  }
}
