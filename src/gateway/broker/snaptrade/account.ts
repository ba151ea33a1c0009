import { z } from 'zod';
import { contractMultiplier } from '../../../trading/asset-class.ts';
import { Dec } from '../../../trading/decimal.ts';
import { HttpProblem } from '../../../trading/http-problem.ts';
import { newYorkDate, newYorkInstant } from '../../../trading/new-york-time.ts';
import { type Account, accountSchema, isFinalStatus, type Position, positionSchema } from '../../../trading/views.ts';
import { DAY_MS } from '../../../values/durations.ts';
import type { PortfolioHistory, PortfolioHistoryQuery } from '../broker.ts';
import { formatAmount, formatMoney } from '../json-amounts.ts';
import { FailedResponseError } from '../rest-client.ts';
import { unsupportedFeatureProblem } from '../unsupported-features.ts';
import type { SnaptradeClient, SnaptradeOptions, SnaptradeUser } from './client.ts';
import { listSnaptradeOrders } from './orders.ts';
import { fromYahooSymbol } from './symbols.ts';
import { snaptradeTraits } from './traits.ts';

const accountAnswer = z.object({
  id: z.string(),
  brokerage_authorization: z.string(),
  number: z.string(),
  status: z.enum(['open', 'closed', 'archived', 'unavailable']).nullish(),
  is_paper: z.boolean(),
  balance: z.object({ total: z.object({ amount: z.number(), currency: z.string() }) }),
});
const connectionAnswer = z.object({ type: z.string(), disabled: z.boolean() });
const balances = z.array(
  z.object({
    currency: z.object({ code: z.string() }),
    cash: z.number().nullish(),
    buying_power: z.number().nullish(),
  }),
);
const historyAnswer = z.object({
  history: z.array(z.object({ date: z.iso.date(), total_value: z.string() })),
});

/** Reads `GET /accounts/{accountId}`, and the connection through which SnapTrade accesses the account. */
export async function readSnaptradeAccountDetails(client: SnaptradeClient, who: SnaptradeUser) {
  const { accountInformation, connections } = client;
  const account = accountAnswer.parse((await accountInformation.getUserAccountDetails(who)).data);
  const { userId, userSecret } = who;
  const { brokerage_authorization: authorizationId, number, status, balance } = account;
  const asked = { userId, userSecret, authorizationId };
  const connection = connectionAnswer.parse((await connections.detailBrokerageAuthorization(asked)).data);
  return {
    /** The brokerage's account number, or SnapTrade's ID if the number is masked. */
    number: /^[A-Za-z0-9-]{4,64}$/.test(number) ? number : account.id,
    environment: account.is_paper ? ('paper' as const) : ('live' as const),
    status: connection.disabled ? 'DISCONNECTED' : (status ?? 'open').toUpperCase(),
    /** Whether the account is closed, or its connection is broken or read-only. */
    blocked: connection.disabled || !connection.type.startsWith('trade') || (status != null && status !== 'open'),
    equity: formatMoney(balance.total.amount),
    currency: balance.total.currency,
  };
}

/** Reads the account. `last_equity` is the newest daily value before today; null if daily values are disabled. */
export async function readSnaptradeAccount(
  client: SnaptradeClient,
  who: SnaptradeUser,
  { environment, simulated, now }: Pick<SnaptradeOptions, 'environment' | 'simulated' | 'now'>,
): Promise<Account> {
  const details = await readSnaptradeAccountDetails(client, who);
  if (details.environment !== environment) {
    throw new HttpProblem(409, 'account_not_connected', `this SnapTrade account is a ${details.environment} account`, {
      hint: `The gateway trades ${environment} accounts. Enter a ${environment} account on the home’s own machine: "trade-agent home broker set".`,
      members: { credentials: 'snaptrade_user' },
    });
  }
  const { accountInformation } = client;
  const rows = balances.parse((await accountInformation.getUserAccountBalance(who)).data);
  const own = rows.find(({ currency }) => currency.code === details.currency);
  const positions = await readSnaptradePositions(client, who);
  const today = newYorkDate(now());
  const values = await readValues(client, who).catch(emptyIfDisabled);
  const before = values.filter(({ date }) => date < today).at(-1);
  const cash = own?.cash;
  return accountSchema.parse({
    account: details.number,
    environment,
    status: details.status,
    currency: details.currency,
    cash: cash == null ? undefined : formatMoney(cash),
    equity: details.equity,
    last_equity: before === undefined ? null : formatMoney(before.total_value),
    // Not every brokerage reports buying power. "For non-margin accounts, buying power should be the same as cash".
    buying_power: cash == null ? undefined : formatMoney(own?.buying_power ?? cash),
    long_market_value: formatMoney(
      positions
        .filter(({ side }) => side === 'long')
        .reduce((sum, { market_value }) => sum.plus(market_value), new Dec(0)),
    ),
    trading_blocked: details.blocked,
    simulated,
  });
}

const positionsAnswer = z.object({
  results: z.array(
    z.object({
      instrument: z.object({ kind: z.string(), symbol: z.string(), multiplier: z.string().nullish() }),
      units: z.string().nullish(),
      price: z.string().nullish(),
      cost_basis: z.string().nullish(),
      cash_equivalent: z.boolean().optional(),
    }),
  ),
});

/** Reads `GET /accounts/{accountId}/positions/all`, which reports no last close, so the day's change is always 0. */
export async function readSnaptradePositions(client: SnaptradeClient, who: SnaptradeUser): Promise<Position[]> {
  const orders = await listSnaptradeOrders(client, who, 'open');
  const { data } = await client.accountInformation.getAllAccountPositions(who);
  const { results } = positionsAnswer.parse(data);
  return (
    results
      // Money market funds that count as cash are left out, so that they are not counted twice.
      .filter(({ cash_equivalent, units }) => cash_equivalent !== true && units != null && units !== '0')
      .map(({ instrument, units, price, cost_basis }) => {
        const symbol = fromYahooSymbol(instrument.symbol.replaceAll(' ', ''));
        if (price == null || units == null) throw new Error('a position without a price');
        const qty = new Dec(units);
        // "price: per share. cost_basis: for options, this is per-contract."
        const multiplier = instrument.kind === 'option' ? (instrument.multiplier ?? contractMultiplier(symbol)) : 1;
        const each = cost_basis == null ? new Dec(price) : new Dec(cost_basis).div(multiplier);
        const value = qty.times(price).times(multiplier);
        const cost = qty.times(each).times(multiplier);
        const ordered = orders
          .filter((order) => order.symbol === symbol && order.side === 'sell' && !isFinalStatus(order.status))
          .reduce((sum, order) => sum.plus(order.qty ?? 0).minus(order.filled_qty), new Dec(0));
        return positionSchema.parse({
          symbol,
          side: qty.isNegative() ? 'short' : 'long',
          qty: formatAmount(units),
          qty_available: Dec.max(0, qty.abs().minus(ordered)).toFixed(),
          avg_entry_price: formatMoney(each),
          current_price: formatMoney(price),
          lastday_price: formatMoney(price),
          market_value: formatMoney(value),
          cost_basis: formatMoney(cost),
          unrealized_pl: formatMoney(value.minus(cost)),
          unrealized_plpc: each.isZero() ? '0' : formatAmount(new Dec(price).div(each).minus(1).toFixed()),
          change_today: '0',
        });
      })
  );
}

/**
 * Returns an empty list instead of the daily values, because their endpoint "is experimental, disabled by default".
 * @throws the error if it is about credentials or the rate limit
 */
function emptyIfDisabled(error: unknown): [] {
  if (error instanceof FailedResponseError && [401, 429].includes(error.status)) throw error;
  return [];
}

/** Returns the account's daily values, oldest first. */
async function readValues(
  client: SnaptradeClient,
  who: SnaptradeUser,
): Promise<{ date: string; total_value: string }[]> {
  const { data } = await client.accountInformation.getAccountBalanceHistory(who);
  return historyAnswer.parse(data).history.sort((a, b) => a.date.localeCompare(b.date));
}

const DAYS: Readonly<Record<string, number>> = { D: 1, W: 7, M: 31, A: 366 };

/**
 * Reads SnapTrade's estimates, which count deposits as gains. @throws {HttpProblem} 501 if daily values are not enabled
 */
export async function readSnaptradePortfolioHistory(
  client: SnaptradeClient,
  who: SnaptradeUser,
  { period }: PortfolioHistoryQuery,
  now: number,
): Promise<PortfolioHistory> {
  const days = Number.parseInt(period, 10) * (DAYS[period.at(-1) ?? ''] ?? 1);
  const from = newYorkDate(now - days * DAY_MS);
  const all = await readValues(client, who).catch((error: unknown) => {
    const isNo = error instanceof FailedResponseError && [400, 403, 404].includes(error.status);
    throw isNo ? unsupportedFeatureProblem(snaptradeTraits.label, 'portfolioHistory') : error;
  });
  const values = all.filter(({ date }) => date >= from);
  const base = new Dec(values[0]?.total_value ?? 0);
  return {
    timeframe: '1D',
    base_value: base.toFixed(2),
    points: values.map(({ date, total_value }) => {
      const made = new Dec(total_value).minus(base);
      return {
        at: new Date(newYorkInstant(date, '16:00')).toISOString(),
        equity: new Dec(total_value).toFixed(2),
        profit_loss: made.toFixed(2),
        profit_loss_pct: base.isZero() ? '0' : formatAmount(made.div(base).toFixed()),
      };
    }),
  };
}
