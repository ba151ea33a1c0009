import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3-multiple-ciphers';
import { describe, expect, it } from 'vitest';
import { SCHEMA_VERSION } from '../../../src/agent/state-database.ts';
import type { Clock } from '../../../src/trading/clock.ts';
import { systemClock } from '../../../src/trading/clock.ts';
import type { Order } from '../../../src/trading/views.ts';
import type { Asked } from './phone-stand-in.ts';
import { createWorld, options, play, type World } from './world.ts';

/** What scripts/make-state-fixture.mjs noted beside each database. */
interface Facts {
  readonly schema_version: number;
  readonly key: string;
  readonly made_at: number;
  readonly asked: Asked[];
  readonly book: Order[];
}

const fixtures = fileURLToPath(new URL('../../fixtures/state', import.meta.url));
const versions = readdirSync(fixtures);

/** A world in the moment the fixture was left behind: its file, its orders at the broker, its open question. */
async function worldOf(version: string): Promise<{ world: World; facts: Facts; clock: Clock }> {
  const facts = JSON.parse(readFileSync(join(fixtures, version, 'facts.json'), 'utf8')) as Facts;
  const world = await createWorld();
  copyFileSync(join(fixtures, version, 'state.db'), join(world.folder, 'state.db'));
  world.gateway.book.push(...facts.book);
  world.phone.asked.push(...facts.asked);
  const shift = facts.made_at + 10_000 - Date.now();
  const clock: Clock = {
    now: () => Date.now() + shift,
    sleep: (ms, signal) => systemClock.sleep(ms / 50, signal),
  };
  return { world, facts, clock };
}

const agentOn = ({ world, facts, clock }: Awaited<ReturnType<typeof worldOf>>) =>
  world.agent({ databaseKey: facts.key, clock });

function schemaVersion(file: string, key: string): unknown {
  const database = new Database(file, { readonly: true });
  database.pragma(`cipher='sqlcipher'`);
  database.pragma(`key="x'${key}'"`);
  const version = database.pragma('user_version', { simple: true });
  database.close();
  return version;
}

it('there is a stored database of every version before today’s', () => {
  expect(versions).toEqual(
    expect.arrayContaining(Array.from({ length: SCHEMA_VERSION - 1 }, (_, i) => `v${i + 1}`)),
  );
});

describe.each(versions)('a state.db of version %s', (version) => {
  it('is brought to today’s version, with its threads and approvals as they were', async () => {
    const old = await worldOf(version);
    const file = join(old.world.folder, 'state.db');
    expect(schemaVersion(file, old.facts.key)).toBe(old.facts.schema_version);
    const agent = await agentOn(old);
    expect(schemaVersion(file, old.facts.key)).toBe(SCHEMA_VERSION);
    expect((await agent.threads()).map(({ thread, status }) => [thread, status])).toEqual([
      ['pending', 'pending'],
      ['approved', 'pending'],
      ['unknown', 'unknown'],
      ['finished', 'done'],
    ]);
    expect((await agent.approvals()).map((approval) => [approval.thread, approval.status])).toEqual([
      ['pending', 'requested'],
      ['approved', 'approved'],
      ['unknown', 'unknown'],
      ['finished', 'executed'],
    ]);
  });

  it('goes on with a finished conversation', async () => {
    const old = await worldOf(version);
    const agent = await agentOn(old);
    const { result } = await play(agent.run({ prompt: 'quote AAPL', thread: 'finished' }, options()));
    expect(result).toMatchObject({ status: 'done', text: expect.stringContaining('AAPL') });
    const shown = await agent.thread('finished');
    expect(shown.messages.filter(({ role }) => role === 'user').map(({ text }) => text)).toEqual([
      'buy 5 AAPL',
      'what do I own',
      'quote AAPL',
    ]);
    expect(old.world.gateway.posts).toEqual([]);
  });

  it('carries out the pending order once the phone approves it, once', async () => {
    const old = await worldOf(version);
    const before = old.world.gateway.book.length;
    old.world.phone.decide('MSFT', 'approve');
    const { result } = await play((await agentOn(old)).resume('pending', options()));
    expect(result).toMatchObject({ status: 'done', orders: [{ symbol: 'MSFT', side: 'sell', qty: '2' }] });
    await play((await agentOn(old)).resume('pending', options()));
    expect(old.world.gateway.book).toHaveLength(before + 1);
  });

  it('sends the order that was approved and not sent, with the token it kept sealed', async () => {
    const old = await worldOf(version);
    const before = old.world.gateway.book.length;
    const { result } = await play((await agentOn(old)).resume('approved', options()));
    expect(result).toMatchObject({ status: 'done', orders: [{ symbol: 'AAPL', qty: '3' }] });
    expect(old.world.gateway.book).toHaveLength(before + 1);
    expect(old.world.phone.polls).toBe(0);
  });

  it('finds the order whose outcome was unknown, and sends no second', async () => {
    const old = await worldOf(version);
    const before = old.world.gateway.book.length;
    const { result } = await play((await agentOn(old)).resume('unknown', options()));
    expect(result).toMatchObject({ status: 'done', orders: [{ symbol: 'NVDA', qty: '1' }] });
    expect(old.world.gateway.posts).toEqual([]);
    expect(old.world.gateway.book).toHaveLength(before);
  });
});
