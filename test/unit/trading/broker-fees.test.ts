import { describe, expect, it } from 'vitest';
import { type FeeSchedule, feeSchedules, maxFees } from '../../../src/trading/broker-fees.ts';
import { countedSize } from '../../../src/trading/counted-order.ts';
import { computeWorstCase } from '../../../src/trading/worst-case.ts';
import { anOrderDraft, type OrderChanges } from '../../fixtures/builders.ts';

const { alpaca, ibkr } = feeSchedules;
const live = (changes: OrderChanges) => anOrderDraft({ environment: 'live', ...changes });
const fees = (changes: OrderChanges, schedule: FeeSchedule = alpaca) => maxFees(live(changes), schedule);

/** $0.65 a contract and nothing else, as many brokers charge for options. */
const perContract: FeeSchedule = {
  paper: {},
  live: {
    us_option: {
      rows: [{ name: 'commission', sides: 'buy and sell', rate: '0.65', per: 'contract', rounded: 'once' }],
    },
  },
};
const call = { symbol: 'AAPL261218C00190000', qty: '10', limit_price: '0.05', position_intent: 'buy_to_open' } as const;
const sale = { side: 'sell' } as const;

describe('the most that an order costs in fees', () => {
  it.each<[string, OrderChanges, string]>([
    ['CAT on a purchase', {}, '0.01'],
    ['SEC, TAF and CAT on a sale, each rounded up', sale, '0.05'],
    ['$1,800,000 sold: $50.05 SEC, $1.95 TAF, $0.72 CAT', { ...sale, qty: '10000' }, '52.72'],
    ['a rounding for each day on which a lasting order may fill', { ...sale, time_in_force: 'gtc' }, '0.17'],
    ['ten contracts bought: CAT $0.08, ORF $0.38, OCC $0.55', call, '1.01'],
    ['a dollar purchase', { type: 'market', notional: '1000.00' }, '0.01'],
  ])('at Alpaca: %s', (_, changes, most) => {
    expect(fees(changes)).toEqual({ max_fees: most });
  });

  it.each<[string, OrderChanges, string]>([
    ['the minimum, and exchange fees', {}, '1.03'],
    ['half a cent a share above the minimum', { qty: '1000' }, '8.28'],
    ['1% of a small trade instead of the minimum', { limit_price: '1.00', reference_price: '1.00' }, '0.08'],
    ['a minimum for each day on which a lasting order may fill', { time_in_force: 'gtc' }, '5.18'],
  ])('at Interactive Brokers: %s', (_, changes, most) => {
    expect(fees(changes, ibkr)).toEqual({ max_fees: most });
  });

  it('is nothing for shares in a paper account at Alpaca', () => {
    expect(maxFees(anOrderDraft(sale), alpaca)).toEqual({ max_fees: '0.00' });
  });

  it('is a part of the coins bought, or of the dollars that coins bring in', () => {
    const coin = { symbol: 'BTC/USD', qty: '0.01', limit_price: '100000.00', time_in_force: 'gtc' } as const;
    expect(fees(coin)).toEqual({ max_fees: '0.00', coin_fee: '0.0025' });
    expect(fees({ ...coin, ...sale })).toEqual({ max_fees: '2.51' });
  });

  it('is unknown without a schedule, for an asset class outside it, and without a price', () => {
    expect(maxFees(live({}), undefined)).toEqual({});
    expect(fees(call, ibkr)).toEqual({});
    expect(fees({ ...sale, type: 'trailing_stop', trail_percent: '2' })).toEqual({});
    expect(fees({ type: 'trailing_stop', trail_percent: '2' })).toEqual({ max_fees: '0.01' });
  });
});

describe('the worst case', () => {
  const told = (changes: OrderChanges, schedule: FeeSchedule | undefined) => {
    const draft = live(changes);
    const { cash, text } = computeWorstCase({ ...draft, ...maxFees(draft, schedule) });
    return `${cash}: ${text}`;
  };

  it('of a purchase includes its fees, and so does its size for limits', () => {
    expect(told(call, perContract)).toBe(
      '56.50: Costs at most $56.50 including $6.50 in fees (limit $0.05 a share). You lose all of it if the option expires worthless.',
    );
    const draft = live(call);
    expect(countedSize(draft).notional).toBe('50.00');
    expect(countedSize({ ...draft, ...maxFees(draft, perContract) }).notional).toBe('56.50');
  });

  it('of a sale is what is left after its fees', () => {
    expect(told(sale, alpaca)).toBe(
      '899.95: Brings in at least $899.95 after $0.05 in fees if it all sells (limit $180.00 a share).',
    );
  });

  it('of a purchase in dollars keeps its fees within the amount', () => {
    expect(told({ type: 'market', notional: '1000.00' }, alpaca)).toBe(
      '1000.00: Costs at most $1,000.00 including $0.01 in fees (limit $181.81 a share). That is 5.500192508 shares.',
    );
  });

  it('of a purchase of coins tells what the broker keeps', () => {
    expect(told({ symbol: 'BTC/USD', qty: '0.01', limit_price: '100000.00', time_in_force: 'gtc' }, alpaca)).toBe(
      '1000.00: Costs at most $1,000.00 (limit $100,000.00 per BTC). The broker keeps up to 0.25% of the BTC as its fee.',
    );
  });

  it('claims no bound on fees that are unknown', () => {
    expect(told({}, undefined)).toBe('900.00: Costs at most $900.00 plus your broker’s fees (limit $180.00 a share).');
    expect(told(sale, undefined)).toBe(
      '900.00: Brings in at least $900.00, less your broker’s fees, if it all sells (limit $180.00 a share).',
    );
  });
});
