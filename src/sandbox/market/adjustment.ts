import { Dec } from '../../trading/decimal.ts';
import type { MarketBar } from './bars.ts';
import { type CorporateAction, effectiveAt } from './corporate-action.ts';

const adjustments = ['split', 'dividend', 'spin-off'] as const;
export type Adjustment = (typeof adjustments)[number];

/** Parses Alpaca's notation: `raw`, `all`, or a comma-separated list of other adjustments. */
export function parseAdjustment(text: string): readonly Adjustment[] | undefined {
  if (text === 'raw') return [];
  if (text === 'all') return adjustments;
  const asked = text.split(',');
  return asked.every((one): one is Adjustment => (adjustments as readonly string[]).includes(one)) ? asked : undefined;
}

export interface AdjustmentFactor {
  readonly at: number;
  readonly price: Dec;
  readonly shares: Dec;
}

/**
 * Returns the factors by which an action adjusts earlier bars. Price factor of a split: old shares / new shares; of a
 * dividend: 1 - dividend / prior close (CRSP's method); of a spin-off: 1 - value of the new shares / prior close.
 * @param closeBefore the last close before the action, if any
 * @param worth returns another symbol's opening price, in dollars
 */
export function adjustmentFactor(
  action: CorporateAction,
  asked: readonly Adjustment[],
  closeBefore: Dec | undefined,
  worth: (symbol: string) => Dec | undefined,
): AdjustmentFactor | undefined {
  const at = effectiveAt(action);
  const one = new Dec(1);
  if ((action.kind === 'forward_split' || action.kind === 'reverse_split') && asked.includes('split')) {
    const shares = new Dec(action.new_rate).div(action.old_rate);
    return { at, price: one.div(shares), shares };
  }
  if (closeBefore === undefined || closeBefore.isZero()) return undefined;
  if (action.kind === 'cash_dividend' && asked.includes('dividend')) {
    return { at, price: one.minus(new Dec(action.rate).div(closeBefore)), shares: one };
  }
  if (action.kind === 'spin_off' && asked.includes('spin-off')) {
    const given = new Dec(worth(action.new_symbol) ?? 0).times(action.new_rate).div(action.source_rate);
    return { at, price: one.minus(given.div(closeBefore)), shares: one };
  }
  return undefined;
}

export function adjustPrices(bar: MarketBar, factors: readonly AdjustmentFactor[]): MarketBar {
  const later = factors.filter(({ at }) => at > bar.at);
  if (later.length === 0) return bar;
  const price = later.reduce((product, factor) => product.times(factor.price), new Dec(1));
  const shares = later.reduce((product, factor) => product.times(factor.shares), new Dec(1));
  const times = (text: string) => new Dec(text).times(price).toDecimalPlaces(4).toFixed();
  return {
    ...bar,
    open: times(bar.open),
    high: times(bar.high),
    low: times(bar.low),
    close: times(bar.close),
    vwap: times(bar.vwap),
    volume: new Dec(bar.volume).times(shares).round().toNumber(),
  };
}
