import { describe, expect, it } from 'vitest';
import {
  findReasonsOutsideMandate,
  type MandateOrder,
  type MandateUsage,
} from '../../../../src/gateway/policy/within-mandate.ts';
import { mandateEnvelopeSchema } from '../../../../src/trading/mandate/envelope.ts';
import type { OrderDraft } from '../../../../src/trading/order.ts';
import { anOrderDraft, type OrderChanges } from '../../../fixtures/builders.ts';
import { mandateTerms } from '../../../integration/sandbox/proposal-fixture.ts';

const now = Date.parse('2026-11-25T15:00:00Z');
const { orders_per_slot: _, ...weekly } = mandateTerms();
const terms = mandateEnvelopeSchema.parse({
  ...weekly,
  orders_per_slot: 2,
  not_before: '2026-11-25T15:00:00Z',
  expires_at: '2026-12-25T05:00:00Z',
});
const unused: MandateUsage = {
  state: 'active',
  total_notional: '0.00',
  day_notional: '0.00',
  orders: 0,
  in_slot: 0,
};
const draft = anOrderDraft({
  account: terms.account,
  environment: terms.environment,
  qty: '1',
  limit_price: '200.00',
  reference_price: '180.00',
});
const order: MandateOrder = {
  draft,
  notional: '200.00',
  slot: '2026-W48',
  jkt: terms.agent_jkt,
  policy: terms.policy,
};

const reasons = (
  change: {
    draft?: Partial<OrderDraft>;
    order?: Partial<MandateOrder>;
    used?: Partial<MandateUsage>;
    terms?: Partial<typeof terms>;
  } = {},
  at = now,
) =>
  findReasonsOutsideMandate(
    { ...terms, ...change.terms },
    { ...unused, ...change.used },
    { ...order, ...change.order, draft: { ...draft, ...change.draft } },
    at,
  ).map(({ reason }) => reason);

describe('an order at the very edge of its mandate', () => {
  it('is inside, in each field at once', () => {
    expect(reasons({ used: { total_notional: '1800.00', day_notional: '200.00', orders: 11, in_slot: 1 } })).toEqual(
      [],
    );
  });

  it('is inside without a slot said', () => {
    expect(reasons({ order: { slot: undefined } })).toEqual([]);
  });

  it('is inside where the mandate was used up to nothing else than this order', () => {
    expect(reasons({ used: { state: 'exhausted' } })).toEqual([]);
  });
});

describe('an order one step outside of its mandate has the reason of that field', () => {
  it.each([
    ['another symbol', { draft: { symbol: 'TSLA' } }, 'MANDATE_SYMBOL_NOT_COVERED'],
    ['the other side', { draft: { side: 'sell' } }, 'MANDATE_SIDE_NOT_COVERED'],
    ['another type', { draft: { type: 'stop', stop_price: '200.00' } }, 'MANDATE_TYPE_NOT_COVERED'],
    [
      'exits, which it does not name',
      { draft: { order_class: 'oto', take_profit_limit_price: '900.00' } },
      'MANDATE_TYPE_NOT_COVERED',
    ],
    ['another time in force', { draft: { time_in_force: 'gtc' } }, 'MANDATE_TIME_IN_FORCE_NOT_COVERED'],
    ['extended hours', { draft: { extended_hours: true } }, 'MANDATE_TIME_IN_FORCE_NOT_COVERED'],
    ['another account', { draft: { account: 'PA3BOB0001' } }, 'MANDATE_ACCOUNT_MISMATCH'],
    ['other money', { draft: { environment: 'live' } }, 'MANDATE_ACCOUNT_MISMATCH'],
    ['a cent more', { order: { notional: '200.01' } }, 'MANDATE_NOTIONAL_EXCEEDS_PER_ORDER'],
    ['a day’s cent more', { used: { day_notional: '200.01' } }, 'MANDATE_NOTIONAL_EXCEEDS_PER_DAY'],
    ['a cent more in all', { used: { total_notional: '1800.01' } }, 'MANDATE_NOTIONAL_EXCEEDS_TOTAL'],
    ['one order more', { used: { orders: 12 } }, 'MANDATE_ORDERS_EXHAUSTED'],
    ['a price above', { draft: { limit_price: '250.01', reference_price: '249.00' } }, 'MANDATE_PRICE_OUTSIDE_BAND'],
    ['a price below', { draft: { limit_price: '99.99' } }, 'MANDATE_PRICE_OUTSIDE_BAND'],
    ['a market below', { draft: { reference_price: '99.99' } }, 'MANDATE_PRICE_OUTSIDE_BAND'],
    ['more slippage', { draft: { max_slippage: '0.0101' } }, 'MANDATE_SLIPPAGE_EXCEEDS_MAX'],
    ['another week', { order: { slot: '2026-W49' } }, 'MANDATE_SLOT_MISMATCH'],
    ['a slot that is used', { used: { in_slot: 2 } }, 'MANDATE_SLOT_USED'],
    ['another key', { order: { jkt: 'another' } }, 'MANDATE_KEY_MISMATCH'],
    ['no key', { order: { jkt: '' } }, 'MANDATE_KEY_MISMATCH'],
    ['other rules', { order: { policy: 'another' } }, 'MANDATE_POLICY_CHANGED'],
    ['a suspended mandate', { used: { state: 'suspended' } }, 'MANDATE_NOT_ACTIVE'],
    ['a revoked mandate', { used: { state: 'revoked' } }, 'MANDATE_NOT_ACTIVE'],
    ['a replaced mandate', { used: { state: 'replaced' } }, 'MANDATE_NOT_ACTIVE'],
  ] as const)('%s', (_, change, reason) => {
    expect(reasons(change)).toEqual([reason]);
  });

  it('a second before it begins, and at its end', () => {
    const inTime = { order: { slot: undefined } } as const;
    expect(reasons(inTime, now - 1)).toEqual(['MANDATE_NOT_YET']);
    expect(reasons(inTime, Date.parse(terms.expires_at) - 1)).toEqual([]);
    expect(reasons(inTime, Date.parse(terms.expires_at))).toEqual(['MANDATE_EXPIRED']);
  });

  it('all of them at once, each once, in a fixed order', () => {
    expect(
      reasons({
        draft: { symbol: 'TSLA', side: 'sell', time_in_force: 'ioc', max_slippage: '0.1' },
        order: { jkt: 'another', notional: '9000.00', policy: 'another' },
        used: { state: 'revoked', orders: 12, in_slot: 2 },
      }),
    ).toEqual([
      'MANDATE_NOT_ACTIVE',
      'MANDATE_KEY_MISMATCH',
      'MANDATE_SYMBOL_NOT_COVERED',
      'MANDATE_SIDE_NOT_COVERED',
      'MANDATE_TIME_IN_FORCE_NOT_COVERED',
      'MANDATE_NOTIONAL_EXCEEDS_PER_ORDER',
      'MANDATE_NOTIONAL_EXCEEDS_PER_DAY',
      'MANDATE_NOTIONAL_EXCEEDS_TOTAL',
      'MANDATE_ORDERS_EXHAUSTED',
      'MANDATE_SLIPPAGE_EXCEEDS_MAX',
      'MANDATE_SLOT_USED',
      'MANDATE_POLICY_CHANGED',
    ]);
  });
});

describe('prices that a mandate names', () => {
  const within = (changes: OrderChanges, of: Parameters<typeof findReasonsOutsideMandate>[0] = terms) =>
    findReasonsOutsideMandate(
      of,
      unused,
      { ...order, draft: anOrderDraft({ ...draft, limit_price: undefined, ...changes }) },
      now,
    ).map(({ reason }) => reason);

  it('hold a market order at the worst it can come to', () => {
    expect(within({ type: 'market', reference_price: '247.50' })).toEqual([]);
    expect(within({ type: 'market', reference_price: '247.55' })).toEqual(['MANDATE_PRICE_OUTSIDE_BAND']);
  });

  it('hold a purchase for an amount at the limit that it is sent with', () => {
    const amount = { type: 'market', qty: undefined, notional: '200.00' } as const;
    expect(within(amount)).toEqual([]);
    expect(within({ ...amount, reference_price: '247.55' })).toEqual(['MANDATE_PRICE_OUTSIDE_BAND']);
  });

  it('hold a sale at its lowest, and at what it would bring now', () => {
    const sells = { sides: ['sell' as const] };
    const sale = (limit_price: string, reference_price: string) =>
      reasons({ terms: sells, draft: { side: 'sell', limit_price, reference_price } });
    expect(sale('100.00', '250.00')).toEqual([]);
    expect(sale('99.99', '180.00')).toEqual(['MANDATE_PRICE_OUTSIDE_BAND']);
    expect(sale('180.00', '250.01')).toEqual(['MANDATE_PRICE_OUTSIDE_BAND']);
  });

  it('are for the symbols that they name', () => {
    expect(reasons({ draft: { symbol: 'MSFT', limit_price: '400.00' } })).toEqual([]);
  });
});

it('an order that nothing bounds is inside of no amount', () => {
  expect(reasons({ order: { notional: null } })).toEqual([
    'MANDATE_NOTIONAL_EXCEEDS_PER_ORDER',
    'MANDATE_NOTIONAL_EXCEEDS_PER_DAY',
    'MANDATE_NOTIONAL_EXCEEDS_TOTAL',
  ]);
});

it('a mandate on demand has no slots', () => {
  const onDemand = { terms: { cadence: 'on_demand', orders_per_slot: undefined } } as const;
  expect(reasons({ ...onDemand, order: { slot: undefined }, used: { in_slot: 9 } })).toEqual([]);
  expect(reasons(onDemand)).toEqual(['MANDATE_SLOT_MISMATCH']);
});
