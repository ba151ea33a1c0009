import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contractMultiplier, symbolAssetClass, symbolTicks } from '../../../src/trading/asset-class.ts';
import { feeSchedules, maxFees } from '../../../src/trading/broker-fees.ts';
import { countedSize } from '../../../src/trading/counted-order.ts';
import { Dec, formatPrice } from '../../../src/trading/decimal.ts';
import { checkOrder, normalizeOrder, type OrderDraft } from '../../../src/trading/order.ts';
import { boundedOrder, computeWorstCase } from '../../../src/trading/worst-case.ts';
import { anOrderDraft, type OrderChanges } from '../../fixtures/builders.ts';

/*
 * A venue that is against the owner: it fills an order in 12 parts, at prices down to the order's own limit, on as
 * many days as the order may wait, and charges every fee at its published maximum. It knows nothing but the order that
 * it was sent.
 */

const APPROVALS = 1_000;
const FILLS = 12;
const seed = Number(process.env.AT_MOST_SEED ?? Math.floor(Math.random() * 2 ** 31));

type Charge = (trade: { qty: Dec; value: Dec; sells: boolean }) => Dec;
const perUnit =
  (rate: string): Charge =>
  ({ qty }) =>
    qty.times(rate);
const ofSales =
  (charge: Charge): Charge =>
  (trade) =>
    trade.sells ? charge(trade) : new Dec(0);
const ofValue =
  (rate: string): Charge =>
  ({ value }) =>
    value.times(rate);

/** The published maximums once more, by themselves. Each is charged for a day's fills, and rounded up to the cent. */
const regulatory = [ofSales(ofValue('0.0000278')), ofSales(perUnit('0.000195')), perUnit('0.000072')];
const optionFees = [
  ofSales(ofValue('0.0000278')),
  ofSales(perUnit('0.00329')),
  perUnit('0.0072'),
  perUnit('0.0378'),
  perUnit('0.055'),
];
const commission: Charge = ({ qty, value }) => Dec.min(Dec.max(qty.times('0.005'), 1), value.times('0.01'));
const charges: Readonly<Record<string, readonly Charge[]>> = {
  'alpaca live us_equity': regulatory,
  'alpaca live us_option': optionFees,
  'alpaca paper us_equity': [],
  'alpaca paper us_option': [],
  'ibkr live us_equity': [commission, perUnit('0.0032'), ...regulatory],
  'ibkr paper us_equity': [commission, perUnit('0.0032'), ...regulatory],
};

const CALL = 'AAPL261218C00190000';
const market = fc.record({
  broker: fc.constantFrom('alpaca', 'ibkr'),
  environment: fc.constantFrom('paper', 'live'),
  kind: fc.constantFrom('share', 'share', 'part', 'dollars', 'coin', 'coin dollars', 'option', 'oco', 'bracket'),
  side: fc.constantFrom('buy', 'sell'),
  type: fc.constantFrom('market', 'limit', 'stop', 'stop_limit'),
  isLasting: fc.boolean(),
  cents: fc.integer({ min: 20, max: 900_00 }),
  near: fc.integer({ min: 80, max: 120 }),
  slippage: fc.integer({ min: 1, max: 1000 }),
  whole: fc.integer({ min: 1, max: 30_000 }),
  parts: fc.integer({ min: 2_000_000, max: 2_000_000_000 }),
  dollars: fc.integer({ min: 20_00, max: 90_000_00 }),
  fills: fc.array(
    fc.record({
      weight: fc.integer({ min: 1, max: 100 }),
      /** Percent that the price is better than the limit. */
      better: fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 1, max: 60 })),
      day: fc.integer({ min: 0, max: FILLS }),
    }),
    { minLength: FILLS, maxLength: FILLS },
  ),
});
type Drawn = typeof market extends fc.Arbitrary<infer T> ? T : never;

/** The order that a person asks for, or undefined for terms that no broker takes. */
function drafted(drawn: Drawn): OrderDraft | undefined {
  const { kind, side, type, isLasting, environment, slippage, whole, parts, dollars } = drawn;
  const isCoin = kind.startsWith('coin');
  const symbol = isCoin ? 'ETH/USD' : kind === 'option' ? CALL : 'AAPL';
  const ticks = symbolTicks(symbol);
  const reference_price = formatPrice(new Dec(drawn.cents).div(100), ticks);
  const nearby = formatPrice(new Dec(reference_price).times(drawn.near).div(100), ticks);
  const further = formatPrice(new Dec(nearby).times(side === 'buy' ? '1.03' : '0.97'), ticks);
  const isFraction = kind === 'part' || kind === 'dollars';
  const exits = kind === 'oco' || kind === 'bracket';
  const changes: OrderChanges = {
    environment,
    symbol,
    reference_price,
    side: exits ? (kind === 'oco' ? 'sell' : 'buy') : side,
    type: exits ? 'limit' : type,
    time_in_force: isCoin ? 'gtc' : isLasting && !isFraction ? 'gtc' : 'day',
    max_slippage: new Dec(slippage).div(10_000).toFixed(),
    limit_price:
      kind === 'bracket' || (!exits && type.endsWith('limit')) ? (type === 'stop_limit' ? further : nearby) : undefined,
    stop_price: !exits && type.startsWith('stop') ? nearby : undefined,
    ...(kind.endsWith('dollars')
      ? { notional: new Dec(dollars).div(100).toFixed(2) }
      : { qty: isCoin || kind === 'part' ? new Dec(parts).div(1e6).toFixed() : String(whole) }),
    ...(kind === 'option' ? { position_intent: side === 'buy' ? 'buy_to_open' : 'sell_to_close' } : {}),
    ...(exits && {
      order_class: kind as 'oco' | 'bracket',
      take_profit_limit_price: formatPrice(new Dec(nearby).times('1.5'), ticks),
      stop_loss_stop_price: formatPrice(new Dec(nearby).times('0.5'), ticks),
    }),
  };
  try {
    const draft = normalizeOrder(anOrderDraft(changes));
    checkOrder(draft);
    return draft;
  } catch {
    return undefined;
  }
}

interface Fill {
  readonly qty: Dec;
  readonly price: Dec;
  readonly day: number;
}

/** Fills all of the order that was sent: parts by weight, prices no worse than its limit. */
function filled(sent: OrderDraft, drawn: Drawn): Fill[] {
  const { symbol, side, qty = '0', time_in_force } = sent;
  const limit = sent.order_class === 'oco' ? sent.stop_loss_limit_price : sent.limit_price;
  const decimals = new Dec(qty).isInteger() ? 0 : 9;
  const all = drawn.fills.reduce((sum, { weight }) => sum + weight, 0);
  let left = new Dec(qty);
  return drawn.fills.flatMap(({ weight, better, day }, at) => {
    const share = new Dec(qty).times(weight).div(all).toDecimalPlaces(decimals, Dec.ROUND_UP);
    const part = at === drawn.fills.length - 1 ? left : Dec.min(left, share);
    left = left.minus(part);
    const factor = new Dec(100).plus(side === 'buy' ? -better : better * 3).div(100);
    const price = new Dec(formatPrice(new Dec(limit ?? 0).times(factor), symbolTicks(symbol)));
    return part.isZero() ? [] : [{ qty: part, price, day: time_in_force === 'gtc' ? day : 0 }];
  });
}

/** The fees of all fills, in dollars. A coin's fee is charged once, and for a purchase in coins. */
function chargedFor(fills: readonly Fill[], draft: OrderDraft, broker: string): Dec {
  const sells = draft.side === 'sell';
  const units = contractMultiplier(draft.symbol);
  const total = (some: readonly Fill[]) => ({
    qty: Dec.sum(0, ...some.map(({ qty }) => qty)),
    value: Dec.sum(0, ...some.map(({ qty, price }) => qty.times(price).times(units))),
    sells,
  });
  const assetClass = symbolAssetClass(draft.symbol);
  if (assetClass === 'crypto') {
    return sells ? total(fills).value.times('0.0025').toDecimalPlaces(2, Dec.ROUND_UP) : new Dec(0);
  }
  const days = [...new Set(fills.map(({ day }) => day))].map((day) => total(fills.filter((one) => one.day === day)));
  const own = charges[`${broker} ${draft.environment} ${assetClass}`] ?? [];
  return Dec.sum(0, ...days.flatMap((day) => own.map((charge) => charge(day).toDecimalPlaces(2, Dec.ROUND_UP))));
}

const seen = { approvals: 0, fills: 0, withFees: 0, kinds: new Set<string>() };

/** Requires that an order's fills and fees stay within the words and figures that were approved. */
function requireAtMost(drawn: Drawn, fees: typeof maxFees): void {
  const draft = drafted(drawn);
  if (draft === undefined) return;
  const approved = normalizeOrder({ ...draft, ...fees(draft, feeSchedules[drawn.broker as 'alpaca' | 'ibkr']) });
  const { cash, price, text } = computeWorstCase(approved);
  if (cash === null || price === null) throw new Error(`no bound: ${text}`);
  const fills = filled(boundedOrder(approved), drawn);
  const isKnown = approved.max_fees !== undefined;
  const charged = isKnown ? chargedFor(fills, draft, drawn.broker) : new Dec(0);
  const units = contractMultiplier(draft.symbol);
  const value = Dec.sum(0, ...fills.map((fill) => fill.qty.times(fill.price).times(units)));
  const qty = Dec.sum(0, ...fills.map((fill) => fill.qty));
  const told = `${text} But ${value} for ${qty} and ${charged} in fees`;
  const buys = draft.side === 'buy';
  for (const fill of fills) expect(buys ? fill.price.lte(price) : fill.price.gte(price), told).toBe(true);
  if (draft.qty !== undefined) expect(qty.lte(draft.qty), told).toBe(true);
  if (buys) expect(value.plus(charged).lte(cash), told).toBe(true);
  else expect(value.minus(charged).gte(cash), told).toBe(true);
  if (buys) expect(charged.lte(approved.max_fees ?? 0), told).toBe(true);
  if (buys && isKnown && draft.notional !== undefined) expect(value.plus(charged).lte(draft.notional), told).toBe(true);
  if (buys) expect(new Dec(countedSize(approved).notional ?? 'none').gte(value.plus(charged)), told).toBe(true);
  expect(text.includes('your broker’s fees'), told).toBe(!isKnown);
  seen.approvals += 1;
  seen.fills += fills.length;
  seen.withFees += charged.isZero() ? 0 : 1;
  seen.kinds.add(`${drawn.kind} ${draft.side} ${draft.type}`);
}

function catching(run: () => void): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing failed');
}

const play = (fees: typeof maxFees) =>
  fc.assert(
    fc.property(market, (drawn) => requireAtMost(drawn, fees)),
    { seed, numRuns: APPROVALS * 3 },
  );

describe(`whatever a venue does, at the published maximum of fees (AT_MOST_SEED=${seed})`, () => {
  it(`${APPROVALS} approvals of ${FILLS} fills cost at most, and bring at least, what was approved`, () => {
    play(maxFees);
    expect(seen.approvals).toBeGreaterThanOrEqual(APPROVALS);
    expect(seen.withFees).toBeGreaterThan(300);
    expect(seen.kinds.size).toBeGreaterThan(20);
  });

  it('with the fees forgotten they do not', () => {
    const forgotten: typeof maxFees = (draft, schedule) => {
      const { max_fees, ...rest } = maxFees(draft, schedule);
      return max_fees === undefined ? rest : { ...rest, max_fees: '0' };
    };
    const failure = catching(() => play(forgotten));
    expect(failure.cause).toMatchObject({ message: expect.stringMatching(/But .* in fees/) });
  });
});
