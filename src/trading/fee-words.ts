import { formatDollarAmount } from './amounts.ts';
import { Dec } from './decimal.ts';

/** Describes a purchase's fees: ` including $0.05 in fees`. Empty for no fees. @param fees undefined if unknown */
export function purchaseFeeWords(fees: string | undefined): string {
  if (fees === undefined) return ' plus your broker’s fees';
  return new Dec(fees).isZero() ? '' : ` including ${formatDollarAmount(fees)} in fees`;
}

/** Describes a sale's fees: ` after $0.05 in fees`. Empty for no fees. @param fees undefined if unknown */
export function saleFeeWords(fees: string | undefined): string {
  if (fees === undefined) return ', less your broker’s fees,';
  return new Dec(fees).isZero() ? '' : ` after ${formatDollarAmount(fees)} in fees`;
}

/**
 * Returns how a proposal's cash is bounded: `at most`, or `at most, plus fees` if the fees are unknown.
 * @param subject the order, or the orders, or the replacement of an order; other subjects have no fees
 */
export function cashBoundWords(side: 'buy' | 'sell' | undefined, subject: Readonly<Record<string, unknown>>): string {
  const { draft, orders } = subject;
  const drafts = Array.isArray(orders) ? orders : [draft ?? subject];
  const isUnknown = drafts.some((one: unknown) => isOrderDraft(one) && one.max_fees === undefined);
  if (side === 'sell') return isUnknown ? 'at least, less fees' : 'at least';
  return isUnknown ? 'at most, plus fees' : 'at most';
}

function isOrderDraft(value: unknown): value is { readonly max_fees?: unknown } {
  return typeof value === 'object' && value !== null && 'reference_price' in value;
}
