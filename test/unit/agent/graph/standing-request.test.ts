import { describe, expect, it } from 'vitest';
import { createStandingOrderRequest } from '../../../../src/agent/graph/standing-request.ts';
import type { AccountEntry } from '../../../../src/trading/account-entry.ts';
import { newYorkInstant } from '../../../../src/trading/new-york-time.ts';

/** A Thursday. */
const NOW = newYorkInstant('2026-12-03', '11:00');

interface Conversation {
  readonly tainted?: readonly string[];
  readonly composedBy?: string;
  readonly builtin?: boolean;
  readonly last?: string;
  readonly now?: number;
  readonly account?: AccountEntry & { readonly account: string };
}

const holdings = [{ symbol: 'NVDA', qty: '20', qty_available: '20' }];

function requested(said: readonly string[], args: Record<string, unknown>, more: Conversation = {}) {
  const { tainted = [], composedBy, builtin = false, last = '150', now = NOW, account } = more;
  const quote = { symbol: 'X', last, bid: last, ask: last };
  const world = { profile: { environment: 'paper' }, clock: { now: () => now }, model: { builtin } };
  const facts = { said, composedBy, positions: holdings, names: [], openOrders: [] };
  return createStandingOrderRequest(
    world as Parameters<typeof createStandingOrderRequest>[0],
    { quotes: async () => [quote as never] },
    { args, account, facts, tainted },
  );
}

const vti = { side: 'buy', notional: '200', symbol: 'VTI', every: 'monday' };
const nvda = { side: 'sell', qty: '5', symbol: 'NVDA', below: '100', before: 'friday' };
const MONDAYS = 'buy $200 of VTI every Monday';
const TWO = `${MONDAYS} and buy $100 of KO every month`;
const BELOW = 'sell 5 NVDA if it falls below 100 before Saturday';

describe('a standing order in the person’s own words', () => {
  it('is proposed with its limits, each field by whom it comes from', async () => {
    const { mandate, provenance } = await requested([MONDAYS], vti);
    expect(mandate).toMatchObject({
      symbols: ['VTI'],
      max_order_notional: '200',
      max_orders: 5,
      max_total_notional: '1000.00',
      cadence: 'daily',
      expires_at: '2027-01-07T16:00:00Z',
      standing: { when: { every: 'monday', at: '10:00' } },
    });
    expect(provenance).toMatchObject({
      sentence: MONDAYS,
      fields: {
        symbols: { source: 'user' },
        sides: { source: 'user' },
        order_types: { source: 'default' },
        standing: { source: 'computed', from: 'your words; 10:00 by default' },
        max_total_notional: { source: 'computed', from: 'the orders it places' },
        expires_at: { source: 'computed', from: '35 days by default' },
      },
    });
    expect(Object.values(provenance.fields).map(({ source }) => source)).not.toContain('other');
  });

  it('ends where they say', async () => {
    const args = { ...nvda, before: 'saturday' };
    const { mandate, provenance } = await requested([BELOW], args);
    expect(mandate.expires_at).toBe('2026-12-05T05:00:00Z');
    expect(provenance.fields.expires_at).toEqual({ source: 'user' });
    const dated = await requested([BELOW], { ...nvda, before: undefined, until: '2026-12-04' });
    expect(dated.mandate.expires_at).toBe('2026-12-05T05:00:00Z');
  });

  it.each([
    ['over several turns', ['I would like to buy $200 of VTI', 'every Monday'], vti],
    ['as it was put right', ['buy $100 of VTI every Monday', 'no, make it $200'], vti],
    ['beside another', [TWO], vti],
    ['second in a list', ['every Monday buy $50 of BND and $200 of VTI'], vti],
    ['of each in a list', ['buy $200 each of BND and VTI every Monday'], vti],
    ['with a time', [`${MONDAYS} at 2 pm`], { ...vti, at: '14:00' }],
    ['a model’s numbers', [MONDAYS], { ...vti, notional: 200, limit_price: null }],
  ])('is theirs %s', async (_, said, args) => {
    await expect(requested(said, args)).resolves.toBeDefined();
  });

  it('is what a yes to the planner’s own question stands for, and to no other’s', async () => {
    const said = ['sell 5 NVDA every time it drops below 100', 'yes'];
    const args = { ...nvda, before: undefined };
    await expect(requested(said, args, { builtin: true })).resolves.toBeDefined();
    await expect(requested(said, args)).rejects.toMatchObject({ code: 'blocked' });
  });
});

describe('what the words leave to the account and the price', () => {
  const HALF = ['sell half my NVDA if it falls below 100', 'half of them'];

  it.each([
    ['the part of the position as it is now', HALF, { ...nvda, qty: '10', before: undefined }],
    ['the side of the price', ['sell 5 NVDA if it hits 100'], { ...nvda, before: undefined }],
  ])('is proposed: %s', async (_, said, args) => {
    await expect(requested(said, args)).resolves.toBeDefined();
  });

  it('is refused if it is not that part', async () => {
    const args = { ...nvda, qty: '11', before: undefined };
    await expect(requested(HALF, args)).rejects.toMatchObject({ code: 'blocked' });
  });
});

describe('what is not in their words is refused, with the command to type', () => {
  const command = expect.stringMatching(/type it yourself: trade-agent mandates add --(buy|sell) [A-Z]+ --/);
  const ko = { ...vti, notional: undefined, qty: '2', symbol: 'KO' };
  const above = { ...nvda, below: undefined, above: '100', before: 'saturday' };
  it.each<[string, readonly string[], Record<string, unknown>, string]>([
    ['another symbol', [MONDAYS], { ...vti, symbol: 'TQQQ' }, 'the symbol'],
    ['another side', [MONDAYS], { ...vti, side: 'sell' }, 'the side'],
    ['another amount', [MONDAYS], { ...vti, notional: '2000' }, 'the amount'],
    ['shares for dollars', [MONDAYS], { ...vti, notional: undefined, qty: '200' }, 'the number of shares'],
    ['another day', [MONDAYS], { ...vti, every: 'day' }, 'the schedule or price'],
    ['another time', [MONDAYS], { ...vti, at: '15:59' }, 'the time of day'],
    ['a time left out', [`${MONDAYS} at 11:30`], vti, 'the time of day'],
    ['a limit price', [MONDAYS], { ...vti, limit_price: '900' }, 'the order type'],
    ['a limit price left out', ['buy 2 KO limit 60 every Monday'], ko, 'the order type'],
    ['an end', [MONDAYS], { ...vti, until: '2026-12-31' }, 'the end date'],
    ['an end left out', [BELOW], { ...nvda, before: undefined }, 'the end date'],
    ['a later end', [BELOW], { ...nvda, before: undefined, until: 'saturday' }, 'the end date'],
    ['another price', [BELOW], { ...nvda, below: '140', before: 'saturday' }, 'the schedule or price'],
    ['the other direction', [BELOW], above, 'the schedule or price'],
    ['an order for once', ['buy $200 of VTI'], vti, 'the schedule or price'],
    ['a question', ['what is VTI at every Monday?'], vti, 'the side'],
    ['a no', ["don't buy $200 of VTI every Monday"], vti, ''],
    ['a mixture of two', [TWO], { ...vti, every: 'month' }, 'the schedule or price'],
    ['nothing at all', [], vti, ''],
  ])('%s', async (_, said, args, what) => {
    const message = expect.stringContaining(`${what && `${what} `}does not match your own words`);
    await expect(requested(said, args)).rejects.toMatchObject({ code: 'blocked', message, hint: command });
  });

  it.each([
    [{ tainted: ['MCP server news'] }, 'MCP server news'],
    [{ tainted: ['standard input'] }, 'standard input'],
    [{ composedBy: 'check' }, 'composed by check'],
  ])('whatever they said, where somebody else was heard: %j', async (more, why) => {
    const message = expect.stringContaining(why);
    const refusal = { code: 'blocked', message, hint: command };
    await expect(requested([MONDAYS], vti, more)).rejects.toMatchObject(refusal);
  });
});

describe('a standing order in an account that the person names', () => {
  const named = { account: 'TR12345', broker: 'tradier', label: 'Tradier' };
  const tradier = { ...named, environment: 'paper', default: false } as const;
  const IN_TRADIER = 'buy $200 of VTI every Monday in my Tradier account';

  it('is for that one', async () => {
    const { mandate, provenance } = await requested([IN_TRADIER], vti, { account: tradier });
    expect(mandate).toMatchObject({ account: 'TR12345', symbols: ['VTI'] });
    expect(provenance.fields.account).toEqual({ source: 'user' });
  });

  it.each([
    ['an account that they did not name', [MONDAYS], tradier],
    ['one that they named in another sentence', ['what is in my Tradier account?', MONDAYS], tradier],
    ['none, where they named one', [IN_TRADIER], undefined],
    ['another', ['buy $200 of VTI every Monday in my IBKR account'], tradier],
  ])('is refused for %s', async (_, said, account) => {
    const more = account === undefined ? {} : { account };
    await expect(requested(said, vti, more)).rejects.toMatchObject({
      code: 'blocked',
      message: expect.stringContaining('the account does not match your own words'),
      hint: expect.stringContaining(account === undefined ? 'mandates add' : '--account TR12345'),
    });
  });
});

describe('what may be two things is a question', () => {
  it('a price that is crossed already', async () => {
    const args = { ...nvda, before: 'saturday' };
    await expect(requested([BELOW], args, { last: '95' })).rejects.toMatchObject({
      code: 'usage',
      message: 'NVDA is already below $100.00, at $95.00: do you want to sell now?',
    });
  });

  it('a weekday that is today', async () => {
    const said = ['sell 5 NVDA if it falls below 100 until Thursday'];
    await expect(requested(said, { ...nvda, before: undefined, until: 'thursday' })).rejects.toMatchObject({
      code: 'usage',
      message: 'today is thursday: which thursday do you mean?',
      hint: 'Use a date: 2026-12-03 or 2026-12-10.',
    });
  });

  it('an end before any trading day', async () => {
    const said = ['sell 5 NVDA if it falls below 100 before Friday'];
    const late = { now: newYorkInstant('2026-12-03', '17:00') };
    await expect(requested(said, nvda, late)).rejects.toMatchObject({
      code: 'usage',
      message: 'there is no trading day left before friday',
    });
  });
});
