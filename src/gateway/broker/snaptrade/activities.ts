import { z } from 'zod';
import { type Activity, activitySchema } from '../../../trading/activity.ts';
import { Dec } from '../../../trading/decimal.ts';
import { newYorkDate, newYorkInstant } from '../../../trading/new-york-time.ts';
import type { Order } from '../../../trading/views.ts';
import { fillOf, movement } from '../activity-parts.ts';
import type { ActivityPage, ActivityQuery } from '../broker.ts';
import type { Client, Who } from './client.ts';
import { listed } from './orders.ts';
import { ourSymbol } from './symbols.ts';

const PAGE = 100;

/** A type not listed is `unknown`: figures it may affect are marked. */
const kinds: Readonly<Record<string, Activity['kind']>> = {
  BUY: 'fill',
  SELL: 'fill',
  REI: 'fill',
  CONTRIBUTION: 'deposit',
  WITHDRAWAL: 'withdrawal',
  DIVIDEND: 'dividend',
  SUBSTITUTE_DIVIDEND: 'dividend',
  INTEREST: 'interest',
  FEE: 'fee',
  TAX: 'fee',
  TRANSFER: 'transfer',
  EXTERNAL_ASSET_TRANSFER_IN: 'transfer',
  EXTERNAL_ASSET_TRANSFER_OUT: 'transfer',
  SPLIT: 'other',
  STOCK_DIVIDEND: 'other',
  OPTIONEXPIRATION: 'other',
  OPTIONASSIGNMENT: 'other',
  OPTIONEXERCISE: 'other',
};

const types: Readonly<Record<string, string>> = {
  OPTIONEXPIRATION: 'OPEXP',
  OPTIONASSIGNMENT: 'OPASN',
  OPTIONEXERCISE: 'OPEXC',
};

function kindOf(type: string, isFill: boolean, moves: boolean, amount: number): Activity['kind'] {
  const known = kinds[type] ?? 'unknown';
  if (known === 'fill') return isFill ? 'fill' : 'unknown';
  // Cash was moved.
  if (known === 'transfer' && !moves) return amount < 0 ? 'withdrawal' : 'deposit';
  return known;
}

const row = z.object({
  id: z.string(),
  type: z.string(),
  symbol: z.object({ symbol: z.string() }).nullish(),
  option_symbol: z.object({ ticker: z.string() }).nullish(),
  price: z.number().nullish(),
  units: z.number().nullish(),
  amount: z.number().nullish(),
  trade_date: z.string().nullish(),
  settlement_date: z.string().nullish(),
  external_reference_id: z.string().nullish(),
});
const pageAnswer = z.object({ data: z.array(row) });

/** `GET /accounts/{accountId}/activities` lags a night; today's fills are among the orders. */
export async function activitiesOf(
  client: Client,
  who: Who,
  { after, page = '0' }: ActivityQuery,
  now: number,
): Promise<ActivityPage> {
  const offset = /^\d{1,7}$/.test(page) ? Number(page) : 0;
  const today = newYorkDate(now);
  const answer = await client.accountInformation.getAccountActivities({
    ...who,
    offset,
    limit: PAGE,
    ...(after === undefined ? {} : { startDate: newYorkDate(after.getTime()) }),
  });
  const { data } = pageAnswer.parse(answer.data);
  const views = data.map(activityView).filter(({ at }) => newYorkDate(Date.parse(at)) < today);
  const fills =
    offset > 0 ? [] : (await listed(client, who, 'all')).flatMap((order) => fillToday(order, today));
  return {
    activities: [...fills, ...views]
      .filter(({ at }) => after === undefined || Date.parse(at) > after.getTime())
      .sort((a, b) => Date.parse(b.at) - Date.parse(a.at)),
    next_page: data.length === PAGE ? `${offset + PAGE}` : null,
  };
}

function fillToday(order: Order, today: string): Activity[] {
  const { filled_at, filled_avg_price, filled_qty, side } = order;
  if (filled_at === null || filled_avg_price === null || filled_qty === '0') return [];
  return newYorkDate(Date.parse(filled_at)) === today ? [fillOf(order, side.toUpperCase(), filled_at)] : [];
}

function activityView(one: z.output<typeof row>): Activity {
  const { type, price, units, amount } = one;
  const shares = units == null || units === 0 ? undefined : new Dec(String(units));
  const fill =
    kinds[type] === 'fill' && shares !== undefined && price != null
      ? { price, sells: type === 'SELL' || shares.isNegative() }
      : undefined;
  const symbol = one.option_symbol?.ticker.replaceAll(' ', '') ?? one.symbol?.symbol;
  return activitySchema.parse({
    id: one.id,
    kind: kindOf(type, fill !== undefined, shares !== undefined, amount ?? 0),
    type: types[type] ?? type,
    at: new Date(timeOf(one)).toISOString(),
    symbol: symbol === undefined ? null : ourSymbol(symbol),
    group: one.external_reference_id ?? null,
    ...movement(shares, fill, amount),
  });
}

/** A date alone is a day in New York. */
function timeOf({ trade_date, settlement_date }: z.output<typeof row>): string | number {
  const date = trade_date ?? settlement_date ?? '';
  return trade_date != null && /T(?!00:00:00)/.test(date) ? date : newYorkInstant(date.slice(0, 10), '00:00');
}
