import { describe, expect, it } from 'vitest';
import { createApp } from '../../../src/app/create-app.ts';
import { followPortfolio, type LivePortfolio } from '../../../src/app/portfolio/portfolio.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import type { Proposal } from '../../../src/trading/proposal.ts';
import { slowness } from '../../slowness.ts';
import { suiteCliWorld } from './cli-world.ts';

/** What the screen promises: up to date within a second of each event. */
const IN_TIME_MS = 1_000;

describe('a live portfolio', () => {
  const world = suiteCliWorld();

  /** Follows on the real gateway; `broken` has its answers lost. */
  function live() {
    const stop = new AbortController();
    const seen: LivePortfolio[] = [];
    const told: { proposal: Proposal; at: number }[] = [];
    let broken = false;
    const app = createApp({
      env: world.env,
      clock: systemClock,
      fetch: (...args) => {
        if (broken) return Promise.reject(new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } }));
        return fetch(...args);
      },
      signal: stop.signal,
      tell: () => undefined,
    });
    const done = followPortfolio(app, {
      signal: stop.signal,
      lines: 0,
      changed: (figures) => seen.push(figures),
      proposalChanged: (proposal) => told.push({ proposal, at: Date.now() }),
    });
    return {
      seen,
      told,
      break: () => {
        broken = true;
      },
      mend: () => {
        broken = false;
      },
      async close() {
        stop.abort();
        await done.catch(() => undefined);
        await app.close();
      },
      qtyOf: (symbol: string) => seen.at(-1)?.positions.find((one) => one.symbol === symbol)?.qty,
    };
  }

  it('has a fill on the screen within a second of the gateway telling of it', async () => {
    const following = live();
    await expect.poll(() => following.seen.length, { timeout: 10_000 }).toBeGreaterThan(0);
    const before = Number(following.qtyOf('KO') ?? 0);
    const detached = await world.run(['run', 'buy 3 KO', '--approval', 'detach']);
    expect(detached.exitCode).toBe(5);
    await expect.poll(() => following.told.some(({ proposal }) => proposal.state === 'requested')).toBe(true);
    await world.run(['phone', '--decide', 'approve', '--once']);
    const executed = () => following.told.find(({ proposal }) => proposal.state === 'executed');
    await expect.poll(executed, { timeout: 10_000 }).toBeDefined();
    await expect.poll(() => following.qtyOf('KO'), { timeout: 5_000 }).toBe(String(before + 3));
    const shown = following.seen.find(
      ({ positions }) => positions.find(({ symbol }) => symbol === 'KO')?.qty === String(before + 3),
    );
    expect((shown?.at ?? 0) - (executed()?.at ?? 0)).toBeLessThan(IN_TIME_MS * slowness());
    await following.close();
  });

  it('says that its prices are stale once the gateway does not answer, and takes that back once it does', async () => {
    const following = live();
    await expect.poll(() => following.seen.length, { timeout: 10_000 }).toBeGreaterThan(0);
    following.break();
    await expect.poll(() => following.seen.at(-1)?.stale, { timeout: 10_000 }).toBe(true);
    const stood = following.seen.at(-1)?.at;
    expect(stood).toBe(following.seen.findLast(({ stale }) => !stale)?.at);
    following.mend();
    await expect.poll(() => following.seen.at(-1)?.stale, { timeout: 15_000 }).toBe(false);
    await following.close();
  });

  it('is refused where there is no terminal', async () => {
    const { exitCode, stderr } = await world.run(['portfolio', '--watch']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('needs a terminal');
  });
});
