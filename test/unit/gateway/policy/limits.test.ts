import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  dayBegan,
  defaultLimits,
  limitPolicies,
  limitsSchema,
} from '../../../../src/gateway/policy/limits.ts';
import { readLimits } from '../../../../src/gateway/policy/limits-file.ts';
import type { PolicyInput } from '../../../../src/gateway/policy/policy.ts';
import type { OrderDraft } from '../../../../src/trading/order.ts';
import type { Refusal } from '../../../../src/trading/refusal.ts';
import { worstCase } from '../../../../src/trading/worst-case.ts';

/** Ten shares at $100 unless said otherwise. */
function refusal(limit: string, changes: Partial<OrderDraft>): Refusal | undefined {
  const draft = {
    symbol: 'AAPL',
    side: 'buy',
    qty: '10',
    type: 'market',
    time_in_force: 'day',
    extended_hours: false,
    reference_price: '100',
    max_slippage: '0.01',
    ...changes,
  } as OrderDraft;
  if (changes.notional !== undefined) delete (draft as Partial<OrderDraft>).qty;
  const [policy] = limitPolicies({ version: 1, max_order_notional: limit });
  try {
    void policy?.({ draft } as PolicyInput);
    return undefined;
  } catch (error) {
    return error as Refusal;
  }
}

describe('max_order_notional counts', () => {
  it.each<[string, Partial<OrderDraft>, string]>([
    ['a market purchase at the worst it can cost', {}, '1010.00'],
    ['a limit purchase at its limit', { type: 'limit', limit_price: '120.5' }, '1205.00'],
    ['one far below the price, too', { type: 'limit', limit_price: '1' }, '10.00'],
    ['a stop purchase with its band', { type: 'stop', stop_price: '110' }, '1111.00'],
    ['an amount at the amount', { notional: '750.25' }, '750.25'],
    ['a market sale at the reference', { side: 'sell' }, '1000.00'],
    ['a sale under its price at the reference', { side: 'sell', type: 'limit', limit_price: '1' }, '1000.00'],
    ['a sale above its price at its limit', { side: 'sell', type: 'limit', limit_price: '130' }, '1300.00'],
    ['a stop sale at the reference', { side: 'sell', type: 'stop', stop_price: '90' }, '1000.00'],
    [
      'a trailing sale at the reference',
      { side: 'sell', type: 'trailing_stop', trail_percent: '5' },
      '1000.00',
    ],
    ['parts of a share', { qty: '0.5', type: 'limit', limit_price: '33.333' }, '16.67'],
  ])('%s', (_, changes, value) => {
    const exact = changes.qty === '0.5' ? '16.6665' : value;
    expect(refusal(exact, changes)).toBeUndefined();
    const cent = (Number(exact) - 0.0001).toFixed(4);
    expect(refusal(cent, changes)?.options.members).toMatchObject({
      reason: 'NOTIONAL_EXCEEDS_MAX_PER_ORDER',
      reasons: ['NOTIONAL_EXCEEDS_MAX_PER_ORDER'],
      value,
    });
  });

  it('a purchase just as the person is told that it can cost', () => {
    const draft = { side: 'buy', qty: '3', type: 'market', reference_price: '33.33', max_slippage: '0.03' };
    const { cash } = worstCase(draft as OrderDraft);
    expect(refusal(cash ?? '', draft as Partial<OrderDraft>)).toBeUndefined();
  });

  it('a purchase that nothing bounds as more than any limit', () => {
    const trailing = { type: 'trailing_stop', trail_percent: '5' } as const;
    expect(refusal('999999999', trailing)).toMatchObject({
      status: 403,
      code: 'policy_denied',
      options: { members: { limit: '999999999.00', value: null } },
    });
  });

  it('and says what to do', () => {
    expect(refusal('1000', {})).toMatchObject({
      status: 403,
      code: 'policy_denied',
      message: 'the order can come to $1,010.00, and one order may come to $1,000.00 here',
      options: { hint: expect.stringContaining('limits.yaml'), members: { limit: '1000.00' } },
    });
  });

  it('nothing where it is not set', () => {
    expect(limitPolicies({ version: 1 })).toEqual([]);
  });
});

describe('max_day_orders', () => {
  const refused = async (sent: number) => {
    const [policy] = limitPolicies({ max_day_orders: 3 });
    return await Promise.resolve(policy?.({ sentToday: async () => sent } as PolicyInput)).then(
      () => undefined,
      (error: unknown) => error as Refusal,
    );
  };

  it('lets so many pass, and not one more', async () => {
    expect(await refused(2)).toBeUndefined();
    expect(await refused(3)).toMatchObject({
      status: 403,
      code: 'policy_denied',
      options: {
        hint: expect.stringContaining('limits.yaml'),
        members: {
          reason: 'ORDERS_EXCEED_MAX_PER_DAY',
          reasons: ['ORDERS_EXCEED_MAX_PER_DAY'],
          limit: '3',
          value: '3',
        },
      },
    });
    expect((await refused(4))?.options.members).toMatchObject({ limit: '3', value: '4' });
  });

  it.each([
    ['in winter', '2026-11-25T15:00:00Z', '2026-11-25T05:00:00Z'],
    ['just before midnight', '2026-11-25T04:59:59Z', '2026-11-24T05:00:00Z'],
    ['at midnight', '2026-11-25T05:00:00Z', '2026-11-25T05:00:00Z'],
    ['in summer', '2026-07-01T03:59:59Z', '2026-06-30T04:00:00Z'],
    ['on the day that is an hour short', '2027-03-14T20:00:00Z', '2027-03-14T05:00:00Z'],
    ['on the day that is an hour long', '2027-11-08T04:59:59Z', '2027-11-07T04:00:00Z'],
  ])('counts from New York’s midnight on: %s', (_, at, began) => {
    expect(new Date(dayBegan(Date.parse(at))).toISOString()).toBe(began.replace('Z', '.000Z'));
  });
});

describe('limits.yaml', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'trade-agent-limits-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const write = (text: string, mode = 0o600) => {
    writeFileSync(join(folder, 'limits.yaml'), text);
    chmodSync(join(folder, 'limits.yaml'), mode);
  };

  it('may be left out, and then limits nothing', async () => {
    expect(await readLimits(folder)).toBeUndefined();
  });

  it('says the most that an order may come to', async () => {
    write('version: 1\nmax_order_notional: "2500.50"\n');
    expect(await readLimits(folder)).toEqual({ version: 1, max_order_notional: '2500.50' });
    write('version: 1\n');
    expect(await readLimits(folder)).toEqual({ version: 1 });
    write('max_day_orders: 7\n');
    expect(await readLimits(folder)).toEqual({ version: 1, max_day_orders: 7 });
    write('');
    expect(await readLimits(folder)).toEqual({ version: 1 });
  });

  it('is what a new home begins with', async () => {
    expect(limitsSchema.parse(defaultLimits())).toEqual(defaultLimits());
    write(JSON.stringify(defaultLimits()));
    expect(await readLimits(folder)).toEqual(defaultLimits());
  });

  it.each<[string, string, RegExp]>([
    [
      'a misspelt limit',
      'version: 1\nmax_order_notionl: "1"\n',
      /limits\.yaml:2: unknown key "max_order_notionl"/,
    ],
    [
      'one that is not there yet',
      'version: 1\nmax_open_orders: 5\n',
      /limits\.yaml:2: unknown key "max_open_orders"/,
    ],
    ['no orders at all', 'max_day_orders: 0\n', /limits\.yaml:1: "max_day_orders": /],
    ['half an order', 'max_day_orders: 1.5\n', /limits\.yaml:1: "max_day_orders": /],
    ['orders in quotes', 'max_day_orders: "5"\n', /limits\.yaml:1: "max_day_orders": /],
    ['another version', 'version: 2\n', /limits\.yaml:1: "version": must be 1/],
    [
      'a number, which could have been rounded',
      'version: 1\nmax_order_notional: 1000\n',
      /:2: .*in quotes, such as "1000"/,
    ],
    ['less than nothing', 'version: 1\nmax_order_notional: "-1"\n', /:2: .*greater than zero/],
    ['nothing at all', 'version: 1\nmax_order_notional: "0"\n', /:2: .*greater than zero/],
    ['no amount', 'version: 1\nmax_order_notional: "1e9"\n', /:2: .*plain decimal number/],
    ['half a file', 'version: 1\nmax_order_notional: "10', /limits\.yaml:\d/],
  ])('with %s is refused, with the line and a hint', async (_, text, message) => {
    write(text);
    await expect(readLimits(folder)).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(/\w/),
    });
  });

  it('that others may read is refused', async () => {
    write('version: 1\n', 0o644);
    await expect(readLimits(folder)).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining('chmod 600'),
    });
  });
});
