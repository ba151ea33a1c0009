import { describe, expect, it } from 'vitest';
import {
  checkMandate,
  checkMandateLifetime,
  mandateDigest,
  mandateEnvelopeSchema,
  mandateRequestSchema,
} from '../../../../src/trading/mandate/envelope.ts';
import { formatLastDay, mandateHeadline } from '../../../../src/trading/mandate/mandate-words.ts';
import { mandateTerms } from '../../../integration/sandbox/proposal-fixture.ts';

const now = Date.parse('2026-11-25T15:00:00Z');
const terms = { ...mandateTerms(), not_before: '2026-11-25T15:00:00Z', expires_at: '2026-12-25T05:00:00Z' };
const asked = {
  symbols: ['AAPL'],
  max_order_notional: '200',
  max_total_notional: '2000',
  max_orders: 10,
  expires_at: '2026-12-25T05:00:00Z',
};

describe('a mandate that is asked for', () => {
  it('is for purchases of the day, on demand, where nothing else is said', () => {
    const usual = { sides: ['buy'], order_types: ['market', 'limit'], times_in_force: ['day'] };
    expect(mandateRequestSchema.parse(asked)).toMatchObject({ ...usual, cadence: 'on_demand' });
  });

  it.each(['symbols', 'max_order_notional', 'max_total_notional', 'max_orders', 'expires_at'])('needs %s', (field) => {
    expect(mandateRequestSchema.safeParse({ ...asked, [field]: undefined }).success).toBe(false);
  });

  it.each([
    ['any symbol', { symbols: ['*'] }],
    ['no symbol', { symbols: [] }],
    ['a symbol twice', { symbols: ['AAPL', 'aapl'] }],
    ['a trailing stop, which nothing bounds', { order_types: ['trailing_stop'] }],
    ['a key of its own', { agent_jkt: terms.agent_jkt }],
    ['rules of its own', { policy: 'none' }],
    ['an account that is no number', { account: '' }],
    ['an amount as a number', { max_total_notional: 2000 }],
    ['more slippage than any order may have', { max_slippage: '0.11' }],
    ['an empty price band', { price: { AAPL: {} } }],
  ])('is refused with %s', (_, changes) => {
    expect(mandateRequestSchema.safeParse({ ...asked, ...changes }).success).toBe(false);
  });
});

describe('the terms of a mandate are refused', () => {
  const onDemand = { cadence: 'on_demand', orders_per_slot: undefined } as const;
  it.each([
    ['for one order larger than a day', { max_order_notional: '400.01' }, 'max_order_notional'],
    ['for a day larger than all', { max_day_notional: '2000.01' }, 'max_day_notional'],
    ['with a fraction of a cent', { max_total_notional: '2000.001' }, 'max_total_notional'],
    ['for eleven orders on demand', { ...onDemand, max_orders: 11 }, 'max_orders'],
    ['with slots on demand', { ...onDemand, max_orders: 10, orders_per_slot: 1 }, 'orders_per_slot'],
    ['with the price of another symbol', { price: { TSLA: { max: '1' } } }, 'price'],
    ['with a band from above to below', { price: { AAPL: { min: '2', max: '1' } } }, 'price'],
    ['where they end before they begin', { expires_at: '2026-11-25T15:00:00Z' }, 'expires_at'],
  ])('%s', (_, changes, field) => {
    const refusal = expect.objectContaining({ code: 'invalid_order', details: { field } });
    expect(() => checkMandate({ ...terms, ...changes })).toThrow(refusal);
  });

  it('not at the edge of each', () => {
    const edge = { max_order_notional: '400', max_day_notional: '400' };
    expect(() => checkMandate({ ...terms, ...edge })).not.toThrow();
    expect(() => checkMandate({ ...terms, ...onDemand, max_orders: 10 })).not.toThrow();
  });

  it.each([
    ['live', 35],
    ['paper', 90],
  ] as const)('where they last longer than %s money may: %i days', (environment, days) => {
    const until = (more: number) => ({
      environment,
      expires_at: new Date(now + days * 86_400_000 + more).toISOString(),
    });
    expect(() => checkMandateLifetime(until(0), now)).not.toThrow();
    expect(() => checkMandateLifetime(until(1000), now)).toThrow(/lasts at most/);
  });

  it('where they are over', () => {
    const over = { environment: 'paper', expires_at: '2026-11-25T15:00:00Z' } as const;
    expect(() => checkMandateLifetime(over, now)).toThrow(/is in the past/);
  });
});

it('says the worst that can come of it first, by the last day in New York', () => {
  expect(mandateHeadline(terms)).toBe('Up to $2,000.00 total, without asking again, until Dec 24');
  expect(formatLastDay('2026-12-25T05:00:01Z')).toBe('Dec 25');
});

it('has a digest that every field is in', () => {
  const envelope = mandateEnvelopeSchema.parse(terms);
  const digests = Object.keys(envelope).map((field) => {
    const { [field as keyof typeof envelope]: _, ...rest } = envelope;
    return mandateDigest(rest as typeof envelope);
  });
  expect(new Set([mandateDigest(envelope), ...digests]).size).toBe(digests.length + 1);
});
