import { dollars, percent, sharePrice, shares } from '../../../trading/amounts.ts';
import { Dec } from '../../../trading/decimal.ts';
import type { OrderDraft } from '../../../trading/order.ts';
import { beyond } from '../../../trading/price-drift.ts';
import type { WorstCase } from '../../../trading/proposal.ts';
import { printableAscii } from '../../../trading/unseen.ts';
import type { Account, Position, Quote } from '../../../trading/views.ts';

/** A limit further from the price than this is likely a slip: a fraction. */
const FAR_LIMIT = '0.10';
/** One order for more than this part of the account is worth a second look: a fraction. */
const LARGE_PART = '0.25';
/** A company's name is text from outside: cut, and printable ASCII alone. */
const LONGEST_NAME = 60;

/**
 * What the order does to the account, and what about it is worth a second look: for the phone, beside the order. At
 * the worst case; where nothing bounds that, at the reference price.
 */
export function effectsOf(
  draft: OrderDraft,
  worst: WorstCase,
  { account, quote, positions }: { account: Account; quote: Quote; positions: readonly Position[] },
): { readonly shows: Readonly<Record<string, string>>; readonly warnings: readonly string[] } {
  const { symbol, side, reference_price: reference } = draft;
  const held = positions.find((position) => position.symbol === symbol);
  const before = new Dec(held?.qty ?? 0).times(held?.side === 'short' ? -1 : 1);
  const quantity = new Dec(draft.qty ?? new Dec(draft.notional ?? 0).div(worst.price ?? reference));
  const amount = new Dec(worst.cash ?? quantity.times(reference));
  const after = side === 'buy' ? before.plus(quantity) : before.minus(quantity);
  const cash = side === 'buy' ? new Dec(account.cash).minus(amount) : new Dec(account.cash).plus(amount);
  const equity = new Dec(account.equity);
  const weight = equity.gt(0) ? after.abs().times(reference).div(equity) : undefined;
  const about = draft.qty === undefined ? 'about ' : '';
  const name = printableAscii(quote.name ?? '', LONGEST_NAME, '');
  const shows: Record<string, string> = {
    ...(name === '' ? {} : { Company: name }),
    Price: `${sharePrice(reference)} a share now${quote.simulated ? ' (simulated)' : ''}`,
    Cash: `${dollars(account.cash)} now, ${dollars(cash.toFixed(2))} after`,
    Position: `${shares(before.toFixed())} now, ${about}${shares(after.toDecimalPlaces(4).toFixed())} after${
      weight === undefined ? '' : `, ${percent(weight.toFixed(3))} of the account`
    }`,
  };
  return { shows, warnings: warningsOf(draft, { amount, after, before, equity }) };
}

function warningsOf(
  { side, limit_price: limit, reference_price: reference, symbol }: OrderDraft,
  {
    amount,
    after,
    before,
    equity,
  }: Record<'amount' | 'after' | 'before' | 'equity', InstanceType<typeof Dec>>,
): string[] {
  const far = limit === undefined ? undefined : beyond(limit, { around: reference, fraction: FAR_LIMIT });
  return [
    ...(limit === undefined || far === undefined
      ? []
      : [
          `The limit is ${percent(new Dec(limit).div(reference).minus(1).abs().toFixed(2))} ${far} the price now (${sharePrice(reference)}).`,
        ]),
    ...(side === 'buy' && equity.gt(0) && amount.gt(equity.times(LARGE_PART))
      ? [`This is ${percent(amount.div(equity).toFixed(2))} of the account in one order.`]
      : []),
    ...(side === 'sell' && after.lt(0)
      ? [`It sells more than is held: ${shares(before.toFixed())} ${symbol}.`]
      : []),
    ...(side === 'sell' && before.gt(0) && after.eq(0) ? [`It sells all the ${symbol} there is.`] : []),
  ];
}
