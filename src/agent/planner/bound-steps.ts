import { z } from 'zod';
import { dollars, sharePrice, shares } from '../../trading/amounts.ts';
import { Dec, plain } from '../../trading/decimal.ts';
import { quoteSchema } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';
import type { Intent, OrderIntent, StandingIntent } from './intent.ts';
import { NotUnderstood } from './words.ts';

/* In "buy 10 AAPL for no more than 1000" the market price tells whether the bound is per share or in total. */

type Bounded = (OrderIntent | StandingIntent) & { readonly mayBeTotal: true; readonly account?: string };

const quoted = z.lazy(() => z.object({ quotes: z.tuple([quoteSchema], z.unknown()) }));

export function isBounded(intent: Intent): intent is Bounded {
  return (intent.kind === 'order' || intent.kind === 'standing') && intent.mayBeTotal === true;
}

export function boundStep({ request, account }: Bounded): { name: string; args: Record<string, unknown> } {
  return {
    name: 'get_quote',
    args: { symbols: [request.symbol], ...defined({ account }) },
  };
}

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

function distance(one: string, other: string | Dec): Dec {
  const ratio = new Dec(one).div(other);
  return ratio.lt(1) ? new Dec(1).div(ratio) : ratio;
}
