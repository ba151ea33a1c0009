import { beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/machine/clock.ts';
import { newYorkInstant } from '../../../src/trading/new-york-time.ts';
import { checkJson, rulesFile, withCli, world } from './check-world.ts';

/** The exchange's own time, which the test sets; this machine's goes on as ever. */
let now = newYorkInstant('2026-11-25', '12:00');
withCli({ marketHours: 'exchange', marketClock: { ...systemClock, now: () => now } });
let rules: string;
beforeAll(() => {
  rules = rulesFile(
    `targets: {AAPL: 60%}
rules:
  - {name: closure, kind: closure, within: 1d}
  - {name: open, kind: price, symbol: AAPL, above: 1, when: market_open}
  - {name: last-minutes, kind: price, symbol: MSFT, above: 1, when: {before_close: 30m}}
  - {name: stale, kind: stale, older_than: 15m}
  - {name: dip, kind: order, symbol: NVDA, above: 1, order: {side: buy, qty: 1}}
`,
  );
});

const checkAt = async (date: string, wall: string, ...args: string[]) => {
  now = newYorkInstant(date, wall);
  const { exitCode, result } = await checkJson('--rules', rules, ...args);
  return { exitCode, result, found: result.findings.map(({ rule }) => rule) };
};

describe('through Thanksgiving, by the calendar of the exchange', () => {
  it('tells of the holiday a day before, and of both clocks', async () => {
    const { found, result } = await checkAt('2026-11-25', '12:00');
    expect(found).toEqual(['closure', 'open', 'dip']);
    expect(result.findings[0]?.message).toBe('the market is closed on Nov 26, 2026');
    expect(result.notes.join()).toContain('clock differs from the broker’s');
    expect(result.market.closures).toEqual([
      { date: '2026-11-26', what: 'is closed' },
      { date: '2026-11-27', what: 'closes early, at 1:00 PM New York time,' },
    ]);
  });

  it('takes the closed market of the holiday as a result, and tells of the half-day', async () => {
    const { found, result } = await checkAt('2026-11-26', '12:00');
    expect(found).toEqual(['closure']);
    expect(result.market.is_open).toBe(false);
    expect(result.skipped).toEqual([
      { rule: 'open', reason: 'market_closed' },
      { rule: 'last-minutes', reason: 'market_closed' },
      { rule: 'stale', reason: 'market_closed' },
    ]);
  });

  it('proposes no market order into a closed market, only what can wait, and asks for the rest when it is open', async () => {
    const asked = ({ result }: Awaited<ReturnType<typeof checkAt>>) =>
      result.proposals
        .flatMap(({ approvals }) => approvals as { order: { symbol: string; type: string } }[])
        .map(({ order }) => `${order.symbol} ${order.type}`);
    const closed = await checkAt('2026-11-26', '12:05', '--suggest', '--approval', 'detach');
    expect(closed.exitCode).toBe(5);
    expect(asked(closed)).toEqual(['AAPL limit']);
    expect(closed.result.suggestion?.left).toEqual([{ symbol: 'NVDA', reason: 'market_closed' }]);
    const open = await checkAt('2026-11-27', '10:00', '--suggest', '--approval', 'detach');
    expect(open.exitCode).toBe(5);
    expect(asked(open)).toEqual(['NVDA market']);
    expect(world.ordersAtBroker()).toBe(0);
  });

  it('knows the last half hour of a half-day', async () => {
    expect((await checkAt('2026-11-27', '12:29')).found).toEqual([]);
    expect((await checkAt('2026-11-27', '12:31')).found).toEqual(['last-minutes']);
  });

  it('finds what stood before still standing on Monday, and nothing new', async () => {
    const { result, exitCode } = await checkAt('2026-11-30', '10:00');
    expect(result.ongoing.map(({ rule }) => rule)).toContain('open');
    expect(exitCode).toBe(0);
  });
});
