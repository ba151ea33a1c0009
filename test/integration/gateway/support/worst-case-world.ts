import { randomUUID } from 'node:crypto';
import Database from 'better-sqlite3-multiple-ciphers';
import type { Caller } from '../../../../src/gateway/auth/caller.ts';
import { createAlpacaConnector } from '../../../../src/gateway/broker/alpaca/alpaca-broker.ts';
import { createAssetCatalog } from '../../../../src/gateway/broker/asset-catalog.ts';
import { formatUtcSeconds } from '../../../../src/machine/clock.ts';
import { createEntry } from '../../../../src/sandbox/paper-broker/books/entries.ts';
import { openLedger } from '../../../../src/store/sandbox/ledger.ts';
import { createSqliteGatewayStores } from '../../../../src/store/sqlite/gateway-stores.ts';
import { buildTradeOrderDetails } from '../../../../src/trading/approval-details.ts';
import { parseOptionSymbol } from '../../../../src/trading/asset-class.ts';
import { feeSchedules, maxFees } from '../../../../src/trading/broker-fees.ts';
import { Dec, formatPrice } from '../../../../src/trading/decimal.ts';
import { HttpProblem } from '../../../../src/trading/http-problem.ts';
import { checkOrder, normalizeOrder, type OrderDraft } from '../../../../src/trading/order.ts';
import { openLegs } from '../../../../src/trading/order-legs.ts';
import { isFinalStatus, type Quote } from '../../../../src/trading/views.ts';
import { boundedOrder } from '../../../../src/trading/worst-case.ts';
import { ADMIN_SECRET, KEYS, startWorld } from '../../sandbox/paper-broker-world.ts';
import { deskOver } from './desk.ts';
import { bound } from './loose-bound.ts';
import { openedAt } from './opened-account.ts';
import { closedAfter } from './world.ts';

const GATEWAY = 'https://gateway.test';

export interface Fill {
  readonly qty: string;
  readonly price: string;
  readonly amount: string;
}

export interface Outcome {
  readonly draft: OrderDraft;
  /** What the order was to be held to. */
  readonly bounded: OrderDraft;
  readonly whole: boolean;
  readonly fills: readonly Fill[];
  /** Of each leg that came with it. */
  readonly legs: readonly { readonly isStop: boolean; readonly fills: readonly Fill[] }[];
}

/** What a draft has beyond what all drafts of these proofs have. */
export type Terms = Pick<OrderDraft, 'side' | 'type' | 'time_in_force' | 'max_slippage'> & Partial<OrderDraft>;

/** Where a price begins, and the percent that it goes to, step by step; the first before the order has arrived. */
export interface PricePath {
  readonly start: string;
  readonly path: readonly number[];
}

/** What lies so many percent of a price away, above nothing. */
export const times = (amount: string, percent: number, least = '0.0001') =>
  Dec.max(new Dec(amount).times(percent).div(100), least);

export type WorstCaseWorld = Awaited<ReturnType<typeof openWorstCaseWorld>>;

/** The order desk before the sandbox's broker, by Alpaca's SDK, in one process; and a market that is against it. */
export async function openWorstCaseWorld() {
  const database = new Database(':memory:');
  const journalDatabase = new Database(':memory:');
  const paper = await startWorld({ database, partialFills: true, requestsPerMinute: 1e9 });
  const { clock } = paper;
  /** What the market does between the desk's last look at the price and the order's arrival at the broker. */
  let ambush: (() => Promise<void>) | undefined;
  const broker = createAlpacaConnector({
    environment: 'paper',
    tradingUrl: paper.url,
    dataUrl: paper.url,
    simulated: true,
    timeoutMs: 10_000,
    assets: createAssetCatalog(clock.now),
    fetch: async (url, init) => {
      if (init?.method === 'POST') await ambush?.();
      return paper.broker.app.fetch(new Request(String(url), init));
    },
  })(KEYS.alice, () => {});
  const brokerFor = async () => openedAt(broker);
  const desk = deskOver(createSqliteGatewayStores(journalDatabase), { brokerFor, clock, gateway: GATEWAY });
  const { account } = await broker.account();

  const setPrice = async (symbol: string, to: string): Promise<void> => {
    const answer = await paper.broker.app.fetch(
      new Request(`${paper.url}/admin/prices/${encodeURIComponent(symbol)}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${ADMIN_SECRET}`, 'content-type': 'application/json' },
        body: JSON.stringify({ price: to }),
      }),
    );
    if (!answer.ok) throw new Error(await answer.text());
  };
  const fillsOf = database.prepare<[string], Fill>('SELECT qty, price, amount FROM broker_fills WHERE order_id = ?');
  const drafted = (symbol: string, quote: Quote, terms: Terms): OrderDraft => {
    const before: OrderDraft = {
      ...{ account, environment: 'paper', symbol, extended_hours: false },
      reference_price: terms.side === 'buy' ? quote.ask : quote.bid,
      client_order_id: `ta-${randomUUID()}`,
      expires_at: formatUtcSeconds(clock.now() + 240_000),
      ...terms,
    };
    const draft = normalizeOrder<OrderDraft>({ ...before, ...maxFees(before, feeSchedules.alpaca) });
    checkOrder(draft);
    return draft;
  };
  const place = (draft: OrderDraft) =>
    desk.place(
      {
        ...{ sub: 'alice', clientId: 'agent', jti: draft.client_order_id },
        authorizationDetails: [buildTradeOrderDetails(draft, { gateway: GATEWAY })],
      } as unknown as Caller,
      draft,
    );

  let isLoose = false;

  return closedAfter({
    broker,
    /** From now on orders go out without what bounds them. The test's file mocks `worst-case.ts` by `withLooseBound`. */
    takeOutBounds() {
      isLoose = true;
    },
    /** Brings cash and positions to what is given, by the books: what a path before left is out of the way. */
    fund(cash: string, positions: Readonly<Record<string, string>>) {
      const ledger = openLedger(database);
      const { id = '' } = ledger.accountOf('alice') ?? {};
      const at = clock.now();
      const held = ledger.positions(id).map(({ symbol, qty }) => [symbol, qty] as const);
      for (const symbol of new Set([...held.map(([name]) => name), ...Object.keys(positions)])) {
        const missing = new Dec(positions[symbol] ?? 0).minus(new Map(held).get(symbol) ?? 0);
        if (missing.isZero()) continue;
        const side = missing.gt(0) ? 'buy' : 'sell';
        const own = { account_id: id, order_id: null, symbol, side, at, price: '0.0001' } as const;
        if (!ledger.book({ ...own, qty: missing.abs().toFixed() })) throw new Error(`no ${symbol} to ${side}`);
      }
      const amount = new Dec(cash).minus(ledger.account(id)?.cash ?? 0);
      if (amount.isZero()) return;
      const type = amount.gt(0) ? 'CSD' : 'CSW';
      ledger.enter(createEntry({ account_id: id, type, date: '2026-11-24', at, amount: amount.toFixed(2) }));
    },
    /**
     * Approved at a quiet price; from then on the market does its worst.
     * @param terms by the quote that the person saw
     * @returns the refusal where there was one
     */
    async trade(
      symbol: string,
      { start, path }: PricePath,
      terms: (quote: Quote) => Terms,
    ): Promise<Outcome | HttpProblem> {
      const moved = parseOptionSymbol(symbol)?.underlying ?? symbol;
      let now = formatPrice(start);
      await setPrice(moved, now);
      const [quote] = await broker.quotes([symbol]);
      if (quote === undefined) throw new Error('there is no price');
      const draft = drafted(symbol, quote, terms(quote));
      const bounded = boundedOrder(draft);
      const move = (percent: number) => {
        now = formatPrice(Dec.min(times(now, percent), '100000'));
        return setPrice(moved, now);
      };
      const [first = 100, ...rest] = path;
      ambush = () => move(first);
      bound.isLoose = isLoose;
      try {
        const { order } = await place(draft);
        ambush = undefined;
        for (const percent of rest) {
          await move(percent);
          await clock.advance(3000);
          paper.broker.settle();
        }
        const after = await broker.order(order.id);
        if (after === undefined) throw new Error('the broker lost an order');
        if (!isFinalStatus(after.status)) await broker.cancel(order.id);
        for (const leg of openLegs(after).slice(0, isFinalStatus(after.status) ? 1 : 0)) await broker.cancel(leg.id);
        return {
          draft,
          bounded,
          whole: after.status === 'filled',
          fills: fillsOf.all(order.id),
          legs: (after.legs ?? []).map(({ id, stop_price }) => ({
            isStop: stop_price !== null,
            fills: fillsOf.all(id),
          })),
        };
      } catch (error) {
        if (error instanceof HttpProblem) return error;
        throw error;
      } finally {
        ambush = undefined;
        bound.isLoose = false;
      }
    },
    async close() {
      await paper.close();
      database.close();
      journalDatabase.close();
    },
  });
}
