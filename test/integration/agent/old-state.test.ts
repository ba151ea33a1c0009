import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3-multiple-ciphers';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/machine/clock.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { openStateDatabase, SCHEMA_VERSION } from '../../../src/store/sqlite/state-database.ts';
import type { Order } from '../../../src/trading/views.ts';
import { createWorld, options, play, type World } from './world.ts';

/** What scripts/make-state-fixture.mjs noted beside each database. */
interface Facts {
  readonly schema_version: number;
  readonly key: string;
  readonly made_at: number;
  readonly book: Order[];
}

const fixtures = fileURLToPath(new URL('../../fixtures/state', import.meta.url));
const versions = readdirSync(fixtures);
/** Up to version 4 the client asked and placed by itself; since then the gateway has the proposals. */
const beforeGateway = versions.filter((version) => Number(version.slice(1)) <= 4);

/** A world in the moment the fixture was left behind: its file, and its orders at the broker. */
async function worldOf(version: string): Promise<{ world: World; facts: Facts; clock: Clock }> {
  const facts = JSON.parse(readFileSync(join(fixtures, version, 'facts.json'), 'utf8')) as Facts;
  const world = await createWorld();
  copyFileSync(join(fixtures, version, 'state.db'), join(world.folder, 'state.db'));
  world.gateway.book.push(...facts.book);
  const shift = facts.made_at + 10_000 - Date.now();
  const clock: Clock = {
    now: () => Date.now() + shift,
    monotonic: () => Date.now() + shift,
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

describe.each(beforeGateway)('a state.db of version %s, whose approvals were the client’s', (version) => {
  it('is brought to today’s version, with its threads as they were, and what was left open ended, with the reason', async () => {
    const old = await worldOf(version);
    const file = join(old.world.folder, 'state.db');
    expect(schemaVersion(file, old.facts.key)).toBe(old.facts.schema_version);
    const agent = await agentOn(old);
    expect(schemaVersion(file, old.facts.key)).toBe(SCHEMA_VERSION);
    expect((await agent.threads()).map(({ thread, status }) => [thread, status])).toEqual([
      ['pending', 'denied'],
      ['approved', 'denied'],
      ['unknown', 'unknown'],
      ['finished', 'done'],
    ]);
    expect((await agent.approvals()).map(({ thread, status, reason }) => [thread, status, reason])).toEqual([
      ['pending', 'cancelled', 'asked by an older version; nothing was traded'],
      ['approved', 'cancelled', 'asked by an older version; nothing was traded'],
      ['unknown', 'blocked', expect.stringContaining('look at your orders before you order again')],
      ['finished', 'executed', undefined],
    ]);
    const [first] = await agent.approvals();
    expect(await agent.approval(first?.id ?? '')).toEqual(first);
    await expect(agent.cancelApproval(first?.id ?? '')).resolves.toMatchObject({ status: 'cancelled' });
  });

  it.each([
    ['pending', 'denied', 'approval_cancelled'],
    ['approved', 'denied', 'approval_cancelled'],
    ['unknown', 'unknown', 'outcome_unknown'],
  ])(
    'tells a resume of the thread "%s" that its approval has ended, and orders nothing',
    async (thread, status, code) => {
      const old = await worldOf(version);
      const before = old.world.gateway.book.length;
      const agent = await agentOn(old);
      const { result } = await play(agent.resume(thread, options()));
      expect(result).toMatchObject({ status, error: { code }, orders: [] });
      // The conversation has heard of it, and goes on.
      const again = await play(agent.run({ prompt: 'quote AAPL', thread }, options()));
      expect(again.result.status).toBe('done');
      expect(old.world.phone.posts).toEqual([]);
      expect(old.world.gateway.book).toHaveLength(before);
    },
  );
});

describe.each(versions)('a state.db of version %s', (version) => {
  it('keeps no token of it', async () => {
    const old = await worldOf(version);
    await (await agentOn(old)).close();
    const database = openStateDatabase(join(old.world.folder, 'state.db'), Buffer.from(old.facts.key, 'hex'));
    const tables = database.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).pluck().all();
    database.close();
    expect(tables).not.toContain('approvals');
    expect(tables).not.toContain('audit_outbox');
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
    expect(old.world.phone.posts).toEqual([]);
  });
});

it('a state.db of version 5 keeps its threads, and each thread its proposals', async () => {
  const old = await worldOf('v5');
  const file = join(old.world.folder, 'state.db');
  old.world.gateway.down = true;
  const agent = await agentOn(old);
  expect(schemaVersion(file, old.facts.key)).toBe(SCHEMA_VERSION);
  expect((await agent.threads()).map(({ thread, status }) => [thread, status])).toEqual([
    ['pending', 'pending'],
    ['approved', 'pending'],
    ['unknown', 'unknown'],
    ['finished', 'done'],
  ]);
  expect((await agent.approvals()).map(({ id, thread, status }) => [id, thread, status])).toEqual([
    ['pr_00000004', 'pending', 'requested'],
    ['pr_00000003', 'approved', 'requested'],
    ['pr_00000001', 'finished', 'executed'],
  ]);
});
