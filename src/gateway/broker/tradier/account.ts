import { z } from 'zod';
import { unitsOf } from '../../../trading/asset-class.ts';
import { Dec } from '../../../trading/decimal.ts';
import {
  type Account,
  accountSchema,
  isFinal,
  type Position,
  positionSchema,
} from '../../../trading/views.ts';
import { amountOf, moneyOf } from '../json-amounts.ts';
import { equityAtLastClose, tradedToday } from '../last-close.ts';
import type { RestClient } from '../rest-client.ts';
import { type TradierAccount, type TradierOptions, wrapped } from './client.ts';
import { type QuoteRow, quoteRows } from './market-data.ts';
import { listed } from './orders.ts';
import { ourSymbol } from './symbols.ts';

const power = z.object({ stock_buying_power: z.number() }).optional();
const balancesAnswer = z.object({
  balances: z.object({
    account_number: z.string(),
    total_equity: z.number(),
    total_cash: z.number(),
    long_market_value: z.number(),
    margin: power,
    pdt: power,
    cash: z.object({ cash_available: z.number() }).optional(),
  }),
});

const positionRows = wrapped(
  'positions',
  'position',
  z.object({ symbol: z.string(), quantity: z.number(), cost_basis: z.number() }),
);

async function holdings(client: RestClient, path: string, now: number) {
  const orders = await listed(client, `${path}/orders`);
  const rows = positionRows.parse(await client(`${path}/positions`));
  const held = rows.map((row) => ({ ...row, symbol: ourSymbol(row.symbol) }));
  const traded = tradedToday(orders, now, ({ symbol }) => symbol);
  const symbols = new Set([...held.map(({ symbol }) => symbol), ...(traded ?? []).map(({ id }) => id)]);
  return { orders, held, traded, quotes: await quoteRows(client, [...symbols]) };
}

export async function positionsOf(client: RestClient, path: string, now: number): Promise<Position[]> {
  const { orders, held, quotes } = await holdings(client, path, now);
  return held.map(({ symbol, quantity, cost_basis }) => {
    const { last, closedAt } = pricesOf(quotes, symbol);
    const qty = new Dec(String(quantity));
    // An option's price is for one share, its cost basis for the contract.
    const units = unitsOf(symbol);
    const value = qty.times(last).times(units);
    const cost = new Dec(String(cost_basis));
    const gain = value.minus(cost);
    const ordered = orders
      .filter((order) => order.symbol === symbol && order.side === 'sell' && !isFinal(order.status))
      .reduce((sum, order) => sum.plus(order.qty ?? 0).minus(order.filled_qty), new Dec(0));
    const free = Dec.max(0, qty.abs().minus(ordered));
    const ratio = (part: Dec, whole: Dec) =>
      whole.isZero() ? '0' : part.div(whole.abs()).toDecimalPlaces(12).toFixed();
    return positionSchema.parse({
      symbol,
      side: qty.isNegative() ? 'short' : 'long',
      qty: amountOf(quantity),
      qty_available: free.toFixed(),
      avg_entry_price: moneyOf(cost.div(qty).div(units).toDecimalPlaces(6)),
      current_price: moneyOf(last),
      lastday_price: moneyOf(closedAt),
      market_value: moneyOf(value),
      cost_basis: moneyOf(cost),
      unrealized_pl: moneyOf(gain),
      unrealized_plpc: ratio(gain, cost),
      change_today: ratio(last.minus(closedAt), closedAt),
    });
  });
}

/** `GET /accounts/{id}/balances`; equity at the last close is computed. */
export async function accountOf(
  client: RestClient,
  path: string,
  { status }: TradierAccount,
  { environment, simulated, now }: Pick<TradierOptions, 'environment' | 'simulated' | 'now'>,
): Promise<Account> {
  const { balances } = balancesAnswer.parse(await client(`${path}/balances`));
  const { held, traded, quotes } = await holdings(client, path, now());
  const equity = moneyOf(balances.total_equity);
  const buying = (balances.margin ?? balances.pdt)?.stock_buying_power ?? balances.cash?.cash_available;
  const holding = held.map(({ symbol, quantity }) => ({
    id: symbol,
    qty: amountOf(quantity),
    price: pricesOf(quotes, symbol).last.toFixed(),
  }));
  const contracts = new Map(
    [...holding, ...(traded ?? [])].map(({ id }) => {
      const closedAt = quotes.get(id)?.prevclose ?? undefined;
      return [id, { units: unitsOf(id), price: closedAt === undefined ? undefined : amountOf(closedAt) }];
    }),
  );
  const lastEquity = traded && equityAtLastClose(equity, holding, traded, contracts);
  return accountSchema.parse({
    account: balances.account_number,
    environment,
    status: status.toUpperCase(),
    currency: 'USD',
    cash: moneyOf(balances.total_cash),
    equity,
    last_equity: lastEquity === undefined ? null : moneyOf(lastEquity.toDecimalPlaces(2)),
    buying_power: buying === undefined ? undefined : moneyOf(buying),
    long_market_value: moneyOf(balances.long_market_value),
    trading_blocked: status !== 'active',
    simulated,
  });
}

/** @throws {Error} if a holding has no price: a guess would pass for its value */
function pricesOf(quotes: ReadonlyMap<string, QuoteRow>, symbol: string): { last: Dec; closedAt: Dec } {
  const row = quotes.get(symbol);
  const last = row?.last ?? row?.prevclose;
  if (last === null || last === undefined) throw new Error('a position without a price');
  return { last: new Dec(String(last)), closedAt: new Dec(String(row?.prevclose ?? last)) };
}
