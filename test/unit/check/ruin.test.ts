import { describe, expect, it } from 'vitest';
import { textReport } from '../../../src/check/report/text.ts';
import type { Snapshot } from '../../../src/check/snapshot.ts';
import type { Activity } from '../../../src/trading/activity.ts';
import { newYorkInstant } from '../../../src/trading/new-york-time.ts';
import { checks, position, snapshot } from './sample-snapshot.ts';

const dayEnd = (date: string) => newYorkInstant(date, '24:00') - 1;
const cash = (date: string, amount: string, more: Partial<Activity> = {}): Activity => ({
  id: `${date} ${amount}`,
  kind: amount.startsWith('-') ? 'withdrawal' : 'deposit',
  type: amount.startsWith('-') ? 'CSW' : 'CSD',
  at: new Date(newYorkInstant(date, '00:00')).toISOString(),
  symbol: null,
  side: null,
  qty: null,
  price: null,
  amount,
  ...more,
});
const account = (equity: string, more: Partial<Snapshot['account']> = {}) => ({
  ...snapshot().account,
  equity,
  cash: equity,
  ...more,
});
const worth = (...days: [date: string, equity: string][]) =>
  days.map(([date, equity]) => ({ at: dayEnd(date), equity }));

/** All was lost by Monday. */
const lost = snapshot({
  account: account('0', { last_equity: '0' }),
  positions: [],
  history: worth(['2026-11-20', '10000'], ['2026-11-23', '0']),
});
/** More than all. */
const owing = snapshot({
  account: account('-500.00', { last_equity: '10000' }),
  positions: [position('GME', -100, 305, { side: 'short' })],
  history: worth(['2026-11-20', '10000'], ['2026-11-23', '10000']),
});

describe('a ruined account', () => {
  it.each([
    ['by the usual rules', undefined],
    ['by rules that don’t ask for it', 'rules:\n  - {name: k, kind: price, symbol: KO, above: 1000}'],
    ['by rules that have its name for another', 'rules:\n  - {name: ruin, kind: cash, above: 99%}'],
  ])('is a critical finding %s', async (_, rules) => {
    const { run } = await checks(rules ?? 'rules: []');
    const { result } = run(lost);
    expect(result.findings[0]).toMatchObject({
      kind: 'ruin',
      severity: 'critical',
      message: 'the account is worth nothing: all of $10,000.00 is lost',
    });
    expect(run(lost).result.ongoing).toContainEqual(expect.objectContaining({ kind: 'ruin' }));
  });

  it('that owes more than it has is one, with what it owes', async () => {
    const { result } = (await checks('rules: []')).run(owing);
    expect(result.findings).toMatchObject([
      { kind: 'ruin', severity: 'critical', message: 'the account owes $500.00 more than it is worth' },
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
    ).then((all) => ({ found: all.found.bind(all) }));
    expect(found(owing)).toEqual(['ruin', 'fall', 'day', 'drift', 'one']);
  });

  it('is none where the money was taken out, where there never was any, or where the rule is turned off', async () => {
    const { found } = await checks('rules: []').then((all) => ({ found: all.found.bind(all) }));
    expect(found({ ...lost, activities: [cash('2026-11-23', '-10000')] })).toEqual([]);
    expect(found({ ...lost, history: [] })).toEqual([]);
    const off = await checks('rules:\n  - {name: off, kind: ruin, enabled: false}');
    expect(off.found(lost)).toEqual([]);
  });

  it('does not lose what it did before: the return ends there and says so', async () => {
    const { result } = (await checks('rules: []')).run(lost);
    expect(result.figures.time_weighted_return).toMatchObject({
      period: '-1',
      ended: new Date(dayEnd('2026-11-23')).toISOString(),
    });
    expect(result.figures.money_weighted_return).toBe(null);
    expect(textReport(result)).toContain('-100.00% in 3 days, until all was lost on 2026-11-23');
  });

  it('that has new money begins anew, and its return does, too', async () => {
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
  const rules = 'rules:\n  - {name: day, kind: loss, above: 3%, severity: critical}';
  const look = async (equity: string, activities: readonly Activity[], more: Partial<Snapshot> = {}) => {
    const { result } = (await checks(rules)).run(
      snapshot({ account: account(equity, day), positions: [], activities, ...more }),
    );
    return [
      result.findings.map(({ rule }) => rule),
      result.figures.day_profit,
      result.figures.day_return,
    ] as const;
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

  it('takes the broker’s own word of the day’s flows, where its history has one', async () => {
    const history = [
      { at: dayEnd('2026-11-23'), equity: '10000', flow: '0' },
      { at: dayEnd('2026-11-24'), equity: '5000', flow: '-5000' },
    ];
    // The activity is booked later.
    expect(await look('5000', [], { history })).toEqual([[], '0.00', '0']);
    expect(await look('5000', [cash('2026-11-24', '-5000')], { history })).toEqual([[], '0.00', '0']);
  });

  it('counts shares moved in or out at their market value', async () => {
    const moved = cash('2026-11-24', '0', { kind: 'transfer', type: 'ACATS', symbol: 'KO', qty: '100' });
    const positions = [position('KO', 100, 60)];
    const at = {
      positions,
      priceOn: (symbol: string, on: string) => (symbol === 'KO' && on === '2026-11-24' ? '60' : undefined),
    };
    expect(await look('16000', [moved], at)).toEqual([[], '0.00', '0']);
    expect(await look('16000', [{ ...moved, price: '61' }], { positions })).toEqual([
      [],
      '-100.00',
      '-0.006211180124',
    ]);
  });
});

describe('what nobody knows', () => {
  const strange = cash('2026-11-24', '-250', { kind: 'unknown', type: 'XYZ', symbol: 'KO', qty: '-3' });

  it('is said, and which figures it touches, in JSON and in words', async () => {
    const { result } = (await checks('rules: []')).run(snapshot({ activities: [strange] }));
    expect(result.figures.incomplete).toEqual([
      {
        figures: [
          'day_profit',
          'realized',
          'income',
          'time_weighted_return',
          'money_weighted_return',
          'volatility',
          'drawdown',
        ],
        reason: 'nobody here knows what activity XYZ of 2026-11-24 (-3 KO, -$250.00) does',
      },
    ]);
    const text = textReport(result);
    expect(text).toMatch(/today .*\(incomplete\)/);
    expect(text).toContain('since nobody here knows what activity XYZ of 2026-11-24 (-3 KO, -$250.00) does');
    expect(text).not.toMatch(/value .*\(incomplete\)/);
  });

  it('of shares moved is their value, where it was not booked and no price is known', async () => {
    const moved = cash('2026-11-02', '0', { kind: 'transfer', type: 'JNLS', symbol: 'KO', qty: '3' });
    const { result } = (await checks('rules: []')).run(snapshot({ activities: [moved] }));
    expect(result.figures.incomplete).toMatchObject([
      { reason: 'activity JNLS of 2026-11-02 (3 KO) moved shares whose value then is not known' },
    ]);
    expect(result.figures.incomplete[0]?.figures).not.toContain('day_profit');
  });

  it('of trades that don’t come to what is held marks their symbol', async () => {
    const bought: Activity = {
      ...cash('2026-11-02', '0'),
      ...{ kind: 'fill', type: 'FILL', symbol: 'AAPL', side: 'buy', qty: '10', price: '90', amount: null },
    };
    const of = async (qty: number) =>
      (await checks('rules: []')).run(
        snapshot({ positions: [position('AAPL', qty, 100)], activities: [bought] }),
      ).result.figures.realized_incomplete;
    expect(await of(10)).toEqual([]);
    expect(await of(60)).toEqual(['AAPL']);
  });
});

describe('orders that can’t be read', () => {
  it('leave everything else looked at, and are found themselves', async () => {
    const { run } = await checks(
      'rules:\n  - {name: old, kind: open_order, older_than: 3d}\n  - {name: idle, kind: cash, above: 10%}',
    );
    const { result } = run(snapshot({ openOrders: undefined }));
    expect(result.findings.map(({ rule, problem }) => [rule, problem])).toEqual([
      ['idle', undefined],
      ['old', 'orders_unavailable'],
    ]);
  });

  it('stop every suggestion: nobody knows which symbols have one', async () => {
    const { run } = await checks('targets: {AAPL: 10%}');
    const suggest = { awaited: new Set<string>(), wasAsked: () => false };
    expect(run(snapshot(), suggest).proposals).toHaveLength(1);
    expect(run(snapshot({ openOrders: undefined }), suggest).proposals).toEqual([]);
  });
});

describe('a rule fires anew', () => {
  it('where its target was changed', async () => {
    const memory = { fired: [] };
    const rules = (target: string) => `targets: {AAPL: ${target}}\nrules:\n  - {name: r, kind: drift}`;
    expect((await checks(rules('40%'), memory)).found(snapshot())).toEqual(['r AAPL']);
    expect((await checks(rules('40%'), memory)).found(snapshot())).toEqual([]);
    expect((await checks(rules('30%'), memory)).found(snapshot())).toEqual(['r AAPL']);
  });

  it('where it was turned off and on again', async () => {
    const memory = { fired: [] };
    const rules = (enabled: boolean) => `rules:\n  - {name: r, kind: cash, above: 10%, enabled: ${enabled}}`;
    expect((await checks(rules(true), memory)).found(snapshot())).toEqual(['r']);
    expect((await checks(rules(false), memory)).found(snapshot())).toEqual([]);
    expect((await checks(rules(true), memory)).found(snapshot())).toEqual(['r']);
  });
});
