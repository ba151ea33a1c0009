import { describe, expect, it } from 'vitest';
import { computePortfolioFigures } from '../../../src/check/figures.ts';
import { renderTextReport } from '../../../src/check/report/text.ts';
import type { Snapshot } from '../../../src/check/snapshot.ts';
import type { Activity } from '../../../src/trading/activity.ts';
import { newYorkInstant } from '../../../src/trading/new-york-time.ts';
import { cash, checks, position, rules, snapshot } from './sample-snapshot.ts';

const dayEnd = (date: string) => newYorkInstant(date, '24:00') - 1;
const account = (equity: string, more: Partial<Snapshot['account']> = {}) => ({
  ...snapshot().account,
  equity,
  cash: equity,
  ...more,
});
const worth = (...days: [date: string, equity: string][]) =>
  days.map(([date, equity]) => ({ at: dayEnd(date), equity }));

const lost = snapshot({
  account: account('0', { last_equity: '0' }),
  positions: [],
  history: worth(['2026-11-20', '10000'], ['2026-11-23', '0']),
});
const owing = snapshot({
  account: account('-500.00', { last_equity: '10000' }),
  positions: [position('GME', -100, 305, { side: 'short' })],
  history: worth(['2026-11-20', '10000'], ['2026-11-23', '10000']),
});

describe('a ruined account', () => {
  it.each([
    ['by the default rules', undefined],
    ['by rules that don’t ask for it', rules('name: k, kind: price, symbol: KO, above: 1000')],
    ['by rules that have its name for another', rules('name: ruin, kind: cash, above: 99%')],
  ])('is a critical finding %s', async (_, rules) => {
    const { run } = await checks(rules ?? 'rules: []');
    const { result } = run(lost);
    expect(result.findings[0]).toMatchObject({
      kind: 'ruin',
      severity: 'critical',
      message: 'the account is worth $0.00 after a peak of $10,000.00',
    });
    expect(run(lost).result.ongoing).toContainEqual(expect.objectContaining({ kind: 'ruin' }));
  });

  it('that owes more than it has is one, with what it owes', async () => {
    const { result } = (await checks('rules: []')).run(owing);
    expect(result.findings).toMatchObject([
      { kind: 'ruin', severity: 'critical', message: 'the account’s debts exceed its assets by $500.00' },
    ]);
    expect(result.status).toBe('found');
  });

  it('still trips the rules about falls and losses, and says which rules can’t look', async () => {
    const { found } = await checks(
      `targets: {GME: 10%}
rules:
  - {name: fall, kind: drawdown, above: 10%}
  - {name: day, kind: loss, above: 3%}
  - {name: drift, kind: drift}
  - {name: one, kind: concentration, above: 40%}`,
    );
    expect(found(owing)).toEqual(['ruin', 'fall', 'day', 'drift', 'one']);
  });

  it('is none where the money was taken out, where there never was any, or where the rule is turned off', async () => {
    const { found } = await checks('rules: []');
    expect(found({ ...lost, activities: [cash('2026-11-23', '-10000')] })).toEqual([]);
    expect(found({ ...lost, history: [] })).toEqual([]);
    const off = await checks(rules('name: off, kind: ruin, enabled: false'));
    expect(off.found(lost)).toEqual([]);
  });

  it('does not lose what it did before: the return ends there and says so', async () => {
    const { result } = (await checks('rules: []')).run(lost);
    expect(result.figures.time_weighted_return).toMatchObject({
      period: '-1',
      ended: new Date(dayEnd('2026-11-23')).toISOString(),
    });
    expect(result.figures.money_weighted_return).toBe(null);
    expect(renderTextReport(result)).toContain('-100.00% in 3 days, until the total loss on Nov 23, 2026');
  });

  it('that has new money begins again, and its return does, too', async () => {
    const again = snapshot({
      account: account('1100'),
      positions: [],
      history: worth(['2026-11-19', '10000'], ['2026-11-20', '0'], ['2026-11-23', '1000']),
      activities: [cash('2026-11-23', '1000')],
    });
    const { result } = (await checks('rules: []')).run(again);
    expect(result.findings).toEqual([]);
    expect(result.figures.time_weighted_return).toMatchObject({
      period: '0.1',
      began: new Date(dayEnd('2026-11-20')).toISOString(),
    });
    expect(result.figures.worst_drawdown).toMatchObject({ fraction: '1', recovered_at: null });
  });
});

describe('the day’s result', () => {
  const day = { last_equity: '10000' };
  const text = rules('name: day, kind: loss, above: 3%, severity: critical');
  const look = async (equity: string, activities: readonly Activity[], more: Partial<Snapshot> = {}) => {
    const { result } = (await checks(text)).run(
      snapshot({
        account: account(equity, day),
        positions: [],
        history: worth(['2026-11-19', '10000'], ['2026-11-20', '10000'], ['2026-11-23', '10000']),
        activities,
        ...more,
      }),
    );
    const { findings, figures } = result;
    return [findings.map(({ rule }) => rule), figures.day_profit, figures.day_return] as const;
  };

  it('is no loss where money was taken out', async () => {
    expect(await look('5000', [cash('2026-11-24', '-5000')])).toEqual([[], '0.00', '0']);
  });

  it('is a loss though a deposit hides it', async () => {
    expect(await look('10000', [cash('2026-11-24', '10000')])).toEqual([['day'], '-10000.00', '-0.5']);
  });

  it('counts the flows since the last close: those of yesterday are in it already', async () => {
    expect(await look('9000', [cash('2026-11-23', '5000')])).toEqual([['day'], '-1000.00', '-0.1']);
    // On a Monday those of the days before without trading.
    const monday = newYorkInstant('2026-11-23', '12:00');
    expect(await look('15000', [cash('2026-11-21', '5000')], { now: monday })).toEqual([[], '0.00', '0']);
  });

  it('of an account’s first day is none, whether equity at the last close has what it began with or not', async () => {
    const first = { history: [] };
    expect(await look('10000', [cash('2026-11-24', '10000')], first)).toEqual([[], '0.00', '0']);
    const none = { ...first, account: account('10000', { last_equity: '0' }) };
    expect(await look('10000', [cash('2026-11-24', '10000')], none)).toEqual([[], '0.00', '0']);
  });

  it('takes the broker’s own word of the day’s flows, where its history has one', async () => {
    const history = [
      { at: dayEnd('2026-11-23'), equity: '10000', flow: '0' },
      { at: dayEnd('2026-11-24'), equity: '5000', flow: '-5000' },
    ];
    // The activity is booked later.
    expect(await look('5000', [], { history })).toEqual([[], '0.00', '0']);
    expect(await look('5000', [cash('2026-11-24', '-5000')], { history })).toEqual([[], '0.00', '0']);
  });

  it('and every other find what was booked late in the value that has it, its day’s or the next', () => {
    const late = {
      booked_at: '2026-11-24T01:30:00Z',
      kind: 'transfer',
      type: 'ACATS',
      symbol: 'KO',
    } as const;
    const moved = cash('2026-11-23', '0', { ...late, qty: '100', price: '60' });
    for (const monday of ['10000', '16000']) {
      const seen = snapshot({
        account: account('16000', { last_equity: monday }),
        history: worth(['2026-11-20', '10000'], ['2026-11-23', monday]),
        activities: [moved],
      });
      const figures = computePortfolioFigures(seen, { sectorOf: () => undefined });
      expect(figures.performance.dayProfit).toBe('0.00');
      expect(figures.timeWeighted?.period.toFixed()).toBe('0');
      expect(figures.drawdowns.worst).toBe(undefined);
    }
  });

  it('counts shares moved in or out at their market value', async () => {
    const moved = cash('2026-11-24', '0', { kind: 'transfer', type: 'ACATS', symbol: 'KO', qty: '100' });
    const positions = [position('KO', 100, 60)];
    const at = {
      positions,
      priceOn: (symbol: string, on: string) => (symbol === 'KO' && on === '2026-11-24' ? '60' : undefined),
    };
    expect(await look('16000', [moved], at)).toEqual([[], '0.00', '0']);
    const dearer = await look('16000', [{ ...moved, price: '61' }], { positions });
    expect(dearer).toEqual([[], '-100.00', '-0.006211180124']);
  });
});

it('a rule about the day’s loss says that it saw nothing where the last close is not known', async () => {
  const { run } = await checks(rules('name: day, kind: loss, over: day, above: 2%'));
  const { result } = run(snapshot({ account: account('10000', { last_equity: null }) }));
  const message = expect.stringContaining('therefore today’s loss, is unknown');
  expect(result.findings).toMatchObject([{ rule: 'day', message }]);
  expect(result.figures).toMatchObject({ day_profit: null, day_return: null });
  expect(renderTextReport(result)).toMatch(/today +unknown/);
});
