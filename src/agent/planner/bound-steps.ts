import { z } from 'zod';
import { dollars, sharePrice, shares } from '../../trading/amounts.ts';
import { Dec, plain } from '../../trading/decimal.ts';
import { quoteSchema } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';
import type { Intent, OrderIntent, StandingIntent } from './intent.ts';
import { NotUnderstood } from './words.ts';

/*
 * "buy 10 AAPL for no more than 1000" bounds the price of a share, or what all of them cost: the market's price tells which of
 * the two fits.
 */

type Bounded = (OrderIntent | StandingIntent) & { readonly mayBeTotal: true; readonly account?: string };

const quoted = z.lazy(() => z.object({ quotes: z.tuple([quoteSchema], z.unknown()) }));

export function isBounded(intent: Intent): intent is Bounded {
  return (intent.kind === 'order' || intent.kind === 'standing') && intent.mayBeTotal === true;
}

/** The call that says what a share costs. */
export function boundStep({ request, account }: Bounded): { name: string; args: Record<string, unknown> } {
  return {
    name: 'get_quote',
    args: { symbols: [request.symbol], ...defined({ account }) },
  };
}

/** @throws {NotUnderstood} where the bound fits all shares better than one, or no price says which it fits */
export function requirePerShare({ request }: Bounded, qty: string, answer: unknown): void {
  const { limit_price: bound, side, symbol } = request;
  if (bound === undefined || new Dec(qty).eq(1)) return;
  const quote = quoted.safeParse(answer);
  const last = quote.success ? quote.data.quotes[0].last : undefined;
  if (last !== undefined && distance(bound, last).lte(distance(bound, new Dec(last).mul(qty)))) return;
  const each = new Dec(bound).div(qty).toDecimalPlaces(2, side === 'buy' ? Dec.ROUND_DOWN : Dec.ROUND_UP);
  throw new NotUnderstood(
    `Is ${dollars(bound)} for one share of ${symbol} or for all ${shares(qty)}?${last === undefined ? '' : ` ${symbol} is at ${sharePrice(last)}.`}`,
    `For one share, write "limit ${bound}"; for all ${shares(qty)}, write "limit ${plain(each)}".`,
  );
}

/** How many times one is the other. */
function distance(one: string, other: string | Dec): Dec {
  const ratio = new Dec(one).div(other);
  return ratio.lt(1) ? new Dec(1).div(ratio) : ratio;
}
