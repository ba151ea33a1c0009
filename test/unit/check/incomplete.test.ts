import { describe, expect, it } from 'vitest';
import { renderTextReport } from '../../../src/check/report/text.ts';
import type { Activity } from '../../../src/trading/activity.ts';
import { newYorkInstant } from '../../../src/trading/new-york-time.ts';
import type { Order } from '../../../src/trading/views.ts';
import { anOrder } from '../../fixtures/builders.ts';
import { cash, checks, position, rules, snapshot } from './sample-snapshot.ts';

describe('what nobody knows', () => {
  const strange = cash('2026-11-24', '-250', { kind: 'unknown', type: 'XYZ', symbol: 'KO', qty: '-3' });

  it('is said, and which figures it touches, in JSON and in words', async () => {
    const { result } = (await checks('rules: []')).run(snapshot({ activities: [strange] }));
    const reason = 'the effect of activity XYZ of 2026-11-24 (-3 KO, -$250.00) is unknown';
    const returns = ['time_weighted_return', 'money_weighted_return', 'volatility', 'drawdown'];
    const figures = ['day_profit', 'realized', 'income', ...returns];
    expect(result.figures.incomplete).toEqual([{ figures, reason }]);
    const text = renderTextReport(result);
    expect(text).toMatch(/today .*\(incomplete\)/);
    expect(text).toContain(`because ${reason}`);
    expect(text).not.toMatch(/value .*\(incomplete\)/);
  });

  it('of shares moved is their value, where it was not booked and no price is known', async () => {
    const moved = cash('2026-11-02', '0', { kind: 'transfer', type: 'JNLS', symbol: 'KO', qty: '3' });
    const { result } = (await checks('rules: []')).run(snapshot({ activities: [moved] }));
    expect(result.figures.incomplete).toMatchObject([
      {
        reason: 'the value of the shares transferred by activity JNLS of 2026-11-02 (3 KO) is unknown',
      },
    ]);
    expect(result.figures.incomplete[0]?.figures).not.toContain('day_profit');
  });

  it('of a flow booked after the close is whose day’s value has it, unless the broker reports the flows of its values', async () => {
    const history = ['2026-11-19', '2026-11-20', '2026-11-23'].map((day) => {
      return { at: newYorkInstant(day, '24:00') - 1, equity: '10000.00' };
    });
    const late = (date: string) => cash(date, '500', { booked_at: `${date}T22:00:00Z` });
    const of = async (...activities: Activity[]) =>
      (await checks('rules: []')).run(snapshot({ history, activities })).result.figures.incomplete;
    const returns = ['time_weighted_return', 'money_weighted_return', 'volatility', 'drawdown'];
    expect(await of(late('2026-11-20'))).toEqual([
      { figures: returns, reason: expect.stringContaining(`2026-11-20 may or may not include`) },
    ]);
    expect(await of(late('2026-11-20'), late('2026-11-23'))).toEqual([
      { figures: ['day_profit', ...returns], reason: expect.stringContaining('the last on 2026-11-23') },
    ]);
    // Booked before the close, or before the first value.
    const early = cash('2026-11-20', '500', { booked_at: '2026-11-20T20:00:00Z' });
    expect(await of(early, late('2026-11-18'))).toEqual([]);
    const reported = history.map((one) => ({ ...one, flow: '0' }));
    const { result } = (await checks('rules: []')).run(
      snapshot({ history: reported, activities: [late('2026-11-20')] }),
    );
    expect(result.figures.incomplete).toEqual([]);
  });

  it('of trades that don’t come to what is held marks their symbol', async () => {
    const bought: Activity = {
      ...cash('2026-11-02', '0'),
      ...{ kind: 'fill', type: 'FILL', symbol: 'AAPL', side: 'buy', qty: '10', price: '90', amount: null },
    };
    const of = async (qty: number) =>
      (await checks('rules: []')).run(snapshot({ positions: [position('AAPL', qty, 100)], activities: [bought] }))
        .result.figures.realized_incomplete;
    expect(await of(10)).toEqual([]);
    expect(await of(60)).toEqual(['AAPL']);
  });
});

describe('orders that can’t be read', () => {
  it('leave everything else looked at, and are found themselves', async () => {
    const { run } = await checks(
      rules('name: old, kind: open_order, older_than: 3d', 'name: idle, kind: cash, above: 10%'),
    );
    const { result } = run(snapshot({ openOrders: undefined }));
    const problems = result.findings.map(({ rule, problem = 'none' }) => `${rule} ${problem}`);
    expect(problems).toEqual(['idle none', 'old orders_unavailable']);
  });

  it('stop every suggestion: nobody knows which symbols have one', async () => {
    const { run } = await checks('targets: {AAPL: 10%}');
    const suggest = { awaited: new Set<string>(), wasAsked: () => false };
    expect(run(snapshot(), suggest).proposals).toHaveLength(1);
    expect(run(snapshot({ openOrders: undefined }), suggest).proposals).toEqual([]);
  });
});

describe('an order of several options', () => {
  const order = (more: Partial<Order>) =>
    anOrder({ limit_price: null, qty: '1', submitted_at: '2026-11-01T15:00:00Z', ...more });
  const call = order({ symbol: 'AAPL261218C00190000', side: 'buy' });
  const put = order({ symbol: 'AAPL261218C00200000', side: 'sell' });
  const spread = order({
    side: '',
    symbol: `${call.symbol} + ${put.symbol}`,
    order_class: 'mleg',
    legs: [call, put],
  });

  it('is looked at as any other, by its legs', async () => {
    const { run } = await checks(rules('name: old, kind: open_order, older_than: 3d'));
    const { result } = run(snapshot({ openOrders: [spread] }));
    expect(result.findings).toHaveLength(1);
    expect(result.findings[0]?.message).toContain(call.symbol);
    expect(result.findings[0]?.message).toContain(put.symbol);
  });
});

describe('options among the activities', () => {
  it('count a hundred times their price, and are worthless when they expire', async () => {
    const symbol = 'AAPL261120C00190000';
    const bought: Activity = {
      ...cash('2026-11-02', '0'),
      ...{ kind: 'fill', type: 'FILL', symbol, side: 'buy', qty: '2', price: '1.25', amount: null },
    };
    const expired = cash('2026-11-20', '0', { kind: 'other', type: 'OPEXP', symbol, qty: '-2' });
    const { figures } = (await checks('rules: []')).run(snapshot({ activities: [bought, expired] })).result;
    expect(figures.realized_fifo).toBe('-250.00');
    expect(figures.realized_incomplete).toEqual([]);
  });
});

describe('a rule fires again', () => {
  it('where its target was changed', async () => {
    const memory = { fired: [] };
    const rules = (target: string) => `targets: {AAPL: ${target}}\nrules:\n  - {name: r, kind: drift}`;
    expect((await checks(rules('40%'), memory)).found(snapshot())).toEqual(['r AAPL']);
    expect((await checks(rules('40%'), memory)).found(snapshot())).toEqual([]);
    expect((await checks(rules('30%'), memory)).found(snapshot())).toEqual(['r AAPL']);
  });

  it('where it was turned off and on again', async () => {
    const memory = { fired: [] };
    const text = (enabled: boolean) => rules(`name: r, kind: cash, above: 10%, enabled: ${enabled}`);
    expect((await checks(text(true), memory)).found(snapshot())).toEqual(['r']);
    expect((await checks(text(false), memory)).found(snapshot())).toEqual([]);
    expect((await checks(text(true), memory)).found(snapshot())).toEqual(['r']);
  });
});
