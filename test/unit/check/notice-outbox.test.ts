import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { buildNotices, NOTICE_TTL_MS } from '../../../src/app/check/check-notices.ts';
import { type NoticeChannelsConfig, noticeChannelsConfigSchema } from '../../../src/config/notice-channels.ts';
import type { Notice } from '../../../src/notify/notice.ts';
import type { CheckStore } from '../../../src/store/check-store.ts';
import { openCheckStore } from '../../../src/store/sqlite/check-store.ts';
import { checks, position, rules, snapshot, TUESDAY_NOON } from './sample-snapshot.ts';

const folder = mkdtempSync(join(tmpdir(), 'trade-agent-outbox-'));
const stores: CheckStore<Notice>[] = [];
afterEach(() => {
  for (const store of stores.splice(0)) store.close();
});
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const channels: NoticeChannelsConfig = noticeChannelsConfigSchema.parse({ push: { kind: 'ntfy', topic: 't' } });
let files = 0;
/** Checks on one file; each may die before it remembers. */
function account(file = join(folder, `${files++}.db`)) {
  const store = openCheckStore<Notice>(file, '00'.repeat(32));
  stores.push(store);
  const memory = store.account({ profile: 'p:alice', account: 'PA1' });
  const usual = checks(rules('name: r, kind: concentration, above: 50%'));
  return {
    file,
    memory,
    /** @returns ids of the notices made */
    async check(price: number, { dies = false, at = TUESDAY_NOON } = {}) {
      const { file: rulesFile } = await usual;
      const { checkPortfolio } = await import('../../../src/check/check.ts');
      const seen = snapshot({ now: at, positions: [position('AAPL', 60, price)] });
      const done = checkPortfolio({
        file: rulesFile,
        rulesFile: undefined,
        snapshot: seen,
        memory: await memory.remembered(),
        sectorOf: () => undefined,
      });
      const made = buildNotices({
        profile: 'p',
        owner: 'p:alice:PA1',
        channels,
        result: done.result,
        findings: done.firing.findings,
        stateOf: done.firing.stateOf,
        unnotified: await memory.notices.unnotified(),
        runs: [],
        now: at,
      });
      await memory.notices.put(made);
      if (!dies) await memory.remember(done.firing.states, done.figures.drawdowns.mark);
      return made.map(({ notice }) => notice.id);
    },
  };
}

describe('notices that wait', () => {
  it('are kept over a crash, and made no second time by the check after it', async () => {
    const first = account();
    const [id] = await first.check(100, { dies: true });
    expect(id).toMatch(/^nt_[A-Za-z0-9_-]{24}$/);
    const second = account(first.file);
    // The finding itself is told again, since nobody knows whether it was.
    expect(await second.check(100, { at: TUESDAY_NOON + 60_000 })).toEqual([]);
    expect(await second.memory.notices.waiting()).toMatchObject([
      { channel: 'push', notice: { id }, until: TUESDAY_NOON + NOTICE_TTL_MS, attempts: 0 },
    ]);
  });

  it('are made again when the rule fires again, under another id', async () => {
    const one = account();
    const [first] = await one.check(100);
    expect(await one.check(100)).toEqual([]);
    await one.memory.notices.remove(first ?? '');
    expect(await one.check(10)).toEqual([]); // clear: armed again
    const [again] = await one.check(100, { at: TUESDAY_NOON + 3_600_000 });
    expect(again).toMatch(/^nt_/);
    expect(again).not.toBe(first);
    expect((await one.memory.notices.waiting()).map(({ notice }) => notice.id)).toEqual([again]);
  });

  it('stay although what they tell of is over: that it was is news, too', async () => {
    const one = account();
    const [first] = await one.check(100);
    await one.check(10);
    expect((await one.memory.notices.waiting()).map(({ notice }) => notice.id)).toEqual([first]);
  });

  it('count what was tried', async () => {
    const one = account();
    const [id = ''] = await one.check(100);
    await one.memory.notices.recordAttempt(id, 3);
    await one.memory.notices.recordAttempt(id, 1);
    expect(await one.memory.notices.waiting()).toMatchObject([{ attempts: 4 }]);
  });

  it('are another account’s business alone', async () => {
    const one = account();
    await one.check(100);
    const store = openCheckStore<Notice>(one.file, '00'.repeat(32));
    stores.push(store);
    expect(await store.account({ profile: 'p:bob', account: 'PA1' }).notices.waiting()).toEqual([]);
    expect([...(await store.waitingNotices())]).toEqual([['push', 1]]);
  });
});
