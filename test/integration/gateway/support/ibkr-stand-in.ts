import { randomUUID } from 'node:crypto';
import { isOnTick } from '../../../../src/trading/decimal.ts';
import { newYorkDate } from '../../../../src/trading/new-york-time.ts';
import { findSession } from '../../../../src/trading/trading-calendar.ts';
import { ibkrSchemas } from '../../../contract/ibkr/schemas.ts';
import { publishedApi } from './published-api.ts';

const ACCOUNT = 'DU1234567';
const CASH = 50_000;
const CONIDS: Record<string, number> = { GEAR: 265598, NUTS: 756733 };
const PRICES: Record<number, number> = { 265598: 100.1, 756733: 20 };
const SYMBOLS = Object.fromEntries(Object.entries(CONIDS).map(([symbol, conid]) => [conid, symbol]));
/** Wednesday, noon in New York. */
export const NOON = Date.parse('2026-11-25T17:00:00Z');
const DAY_MS = 24 * 60 * 60 * 1000;

interface Ticket {
  readonly conid: number;
  readonly orderType: 'MKT' | 'LMT' | 'STP' | 'STOP_LIMIT';
  readonly side: string;
  readonly tif: string;
  readonly quantity: number;
  readonly cOID?: string;
  readonly price?: number;
  readonly auxPrice?: number;
  readonly outsideRTH?: boolean;
}
interface Row {
  readonly id: number;
  status: string;
  readonly ticket: Ticket;
}

export interface AlsoHeld {
  readonly conid: number;
  readonly contractDesc: string;
  readonly assetClass: string;
  readonly currency?: string;
  readonly position: number;
  readonly mktPrice: number;
  readonly units: number;
  readonly close: number | null;
}

export type IbkrStandIn = Awaited<ReturnType<typeof startIbkr>>;

/** The Client Portal Gateway: held to the schemas made from its documents and from what was recorded of a real one. */
export async function startIbkr() {
  const { app, held, answer, ...own } = await publishedApi(ibkrSchemas);
  const taken: Row[] = [];
  const requests: string[] = [];
  const open = new Map<string, Ticket>();
  const streaming = new Set<number>();
  let pending: string[][] = [];
  const ibkr = {
    url: own.url,
    account: ACCOUNT,
    taken: taken as readonly Row[],
    requests: requests as readonly string[],
    /** Asked of the next order, one after the other: its message ids. */
    asks: [] as string[][],
    /** Questions that nobody has answered. */
    open: open as ReadonlyMap<string, Ticket>,
    /** What was answered to questions. */
    answers: [] as boolean[],
    /** The next answers to questions are lost after they were acted on. */
    loseReplies: false,
    signedIn: true,
    isPaper: true,
    currency: 'USD',
    clearingStatus: 'O',
    /** Symbols of which two contracts trade in the United States. */
    ambiguous: [] as string[],
    /** The first list of orders of a session is empty. */
    primed: false,
    listFails: false,
    /** Held besides what {@link PRICES} has. Dollars a share; null where no price of the last close is told. */
    alsoHeld: [] as readonly AlsoHeld[],
    /** Rows of the list of orders that were placed elsewhere. */
    elsewhere: [] as readonly object[],
    mistakes: own.mistakes,
    close: own.close,
  };
  const error = (status: number, words: string) => answer('error', { error: words }, status);
  const accept = (ticket: Ticket) => {
    const id = 473_740_665 + taken.length;
    taken.push({ id, status: ticket.orderType === 'MKT' ? 'Filled' : 'Submitted', ticket });
    return answer('placed', [{ order_id: `${id}`, order_status: 'Submitted', encrypt_message: '1' }]);
  };
  const askOrAccept = (ticket: Ticket) => {
    const messageIds = pending.shift();
    if (messageIds === undefined) return accept(ticket);
    const id = randomUUID();
    open.set(id, ticket);
    const message = ['The following order exceeds <b>something</b>.\nAre you sure you want to submit this order?'];
    return answer('placed', [{ id, message, isSuppressed: false, messageIds }]);
  };

  app.use(async (c, next) => {
    requests.push(`${c.req.method} ${c.req.path.replace('/v1/api', '')}`);
    if (c.req.header('user-agent') === undefined) return new Response('Access Denied', { status: 403 });
    if (!ibkr.signedIn) return new Response('Unauthorized', { status: 401 });
    return await next();
  });
  const api = app.basePath('/v1/api');
  api.get('/iserver/accounts', () =>
    answer('accounts', {
      accounts: [ACCOUNT],
      isPaper: ibkr.isPaper,
      selectedAccount: ACCOUNT,
      acctProps: {},
    }),
  );
  api.get('/portfolio/accounts', () =>
    answer('portfolioAccounts', [
      {
        id: ACCOUNT,
        accountId: ACCOUNT,
        currency: ibkr.currency,
        clearingStatus: ibkr.clearingStatus,
        brokerageAccess: true,
        type: 'DEMO',
      },
    ]),
  );
  api.get(`/iserver/account/${ACCOUNT}/summary`, () => {
    const cash = cents(CASH - spent(taken));
    return answer('summary', {
      accountType: '',
      status: '',
      balance: cash,
      buyingPower: cash,
      availableFunds: cash,
      netLiquidationValue: cents(cash + worth(taken)),
      totalCashValue: cash,
      cashBalances: [{ currency: 'USD', balance: cash, settledCash: cash }],
    });
  });
  api.get(`/portfolio/${ACCOUNT}/positions/:page`, (c) =>
    answer('positions', c.req.param('page') === '0' ? [...positions(taken), ...ibkr.alsoHeld.map(alsoRow)] : []),
  );
  api.get('/trsrv/stocks', (c) => {
    const stocks = (c.req.query('symbols') ?? '').split(',').flatMap((symbol) => {
      const conid = CONIDS[symbol];
      if (conid === undefined) return [];
      const contracts = [
        { conid, exchange: 'NASDAQ', isUS: true },
        { conid: conid + 1, exchange: 'MEXI', isUS: false },
        ...(ibkr.ambiguous.includes(symbol) ? [{ conid: conid + 2, exchange: 'NYSE', isUS: true }] : []),
      ];
      return [[symbol, [{ name: `${symbol} WORKS INC`, assetClass: 'STK', contracts }]]];
    });
    return answer('stocks', Object.fromEntries(stocks));
  });
  api.get('/iserver/marketdata/snapshot', (c) => {
    const rows = (c.req.query('conids') ?? '')
      .split(',')
      .map(Number)
      .map((conid) => {
        const also = ibkr.alsoHeld.find((one) => one.conid === conid);
        const last = also?.mktPrice ?? PRICES[conid] ?? 0;
        const close = also === undefined ? last - 0.1 : also.close;
        const about = { conid, conidEx: `${conid}` };
        // The first request begins the stream, and has no prices yet.
        if (!streaming.has(conid)) return about;
        const [bid, ask] = [(last - 0.01).toFixed(2), (last + 0.01).toFixed(2)];
        const text = {
          '31': last.toFixed(2),
          '84': bid,
          '86': ask,
          '6509': 'RpB',
          ...(close === null ? {} : { '7741': close.toFixed(2) }),
        };
        return { ...about, _updated: NOON, server_id: 'q0', ...text };
      });
    for (const { conid } of rows) streaming.add(conid);
    return answer('snapshot', rows);
  });
  api.get('/iserver/marketdata/history', (c) => {
    const bar = c.req.query('bar') ?? '';
    const ms = { '1d': DAY_MS, '1h': DAY_MS / 24, '1min': 60_000 }[bar] ?? DAY_MS;
    const days = Number.parseInt(c.req.query('period') ?? '', 10);
    const data = [];
    for (let day = NOON - days * DAY_MS; day <= NOON; day += DAY_MS) {
      const session = findSession(newYorkDate(day), 'exchange');
      for (let t = session?.open ?? NOON + 1; session !== undefined && t < session.close && t <= NOON; t += ms) {
        data.push({ o: 100.1, c: 100.3, h: 101.25, l: 99.5, v: 12345.6, t });
      }
    }
    const about = { symbol: SYMBOLS[Number(c.req.query('conid'))] ?? '', text: 'WORKS INC' };
    return answer('history', {
      ...about,
      timePeriod: `${days}d`,
      barLength: ms / 1000,
      data: data.slice(-1000),
    });
  });
  api.get('/iserver/account/orders', () => {
    if (ibkr.listFails) return new Response('Too many requests', { status: 429 });
    const orders = ibkr.primed ? [...taken.map(orderRow), ...ibkr.elsewhere] : [];
    const snapshot = ibkr.primed;
    ibkr.primed = true;
    return answer('orders', { orders, snapshot });
  });
  api.post(`/iserver/account/${ACCOUNT}/orders`, async (c) => {
    const form = await c.req.json();
    try {
      held('orderForm', form);
    } catch (thrown) {
      return error(400, String(thrown));
    }
    const ticket = form.orders[0] as Ticket;
    const refusal = refusalOf(ticket, taken);
    if (refusal !== undefined) return error(refusal.includes('couldn') ? 400 : 200, refusal);
    pending = [...ibkr.asks];
    return askOrAccept(ticket);
  });
  api.post('/iserver/reply/:id', async (c) => {
    const { confirmed } = held('replyForm', await c.req.json());
    const ticket = open.get(c.req.param('id'));
    open.delete(c.req.param('id'));
    ibkr.answers.push(confirmed);
    if (ticket === undefined) return error(400, 'reply id not found');
    if (!confirmed) return error(200, 'Order was not confirmed');
    const next = askOrAccept(ticket);
    return ibkr.loseReplies ? new Response('', { status: 502 }) : next;
  });
  api.delete(`/iserver/account/${ACCOUNT}/order/:id`, (c) => {
    const row = taken.find(({ id }) => `${id}` === c.req.param('id'));
    if (row === undefined) return error(400, `OrderID ${c.req.param('id')} doesn't exist`);
    if (row.status !== 'Submitted') return error(400, 'Order is not active');
    row.status = 'Cancelled';
    return answer('cancelled', {
      msg: 'Request was submitted',
      order_id: row.id,
      conid: row.ticket.conid,
      account: ACCOUNT,
    });
  });
  api.post('/tickle', () => answer('tickle', { session: 'session-of-the-test', iserver: {} }));
  return ibkr;
}

const cents = (value: number) => Math.round(value * 100) / 100;

const boughtOf = (taken: readonly Row[], conid: number) =>
  taken
    .filter(({ status, ticket }) => status === 'Filled' && ticket.conid === conid)
    .reduce((sum, { ticket }) => sum + (ticket.side === 'BUY' ? 1 : -1) * ticket.quantity, 0);
const sumOf = (each: (conid: number, price: number) => number) =>
  Object.entries(PRICES).reduce((sum, [conid, price]) => sum + each(Number(conid), price), 0);
const spent = (taken: readonly Row[]) => sumOf((conid, price) => boughtOf(taken, conid) * price);
const worth = (taken: readonly Row[]) => sumOf((conid, price) => (10 + boughtOf(taken, conid)) * price);

function positions(taken: readonly Row[]) {
  return Object.entries(PRICES).map(([conid, price]) => {
    const position = 10 + boughtOf(taken, Number(conid));
    return {
      acctId: ACCOUNT,
      conid: Number(conid),
      contractDesc: SYMBOLS[Number(conid)],
      position,
      mktPrice: price,
      mktValue: cents(position * price),
      currency: 'USD',
      avgCost: 9.5,
      avgPrice: 9.5,
      realizedPnl: 0,
      unrealizedPnl: cents(position * (price - 9.5)),
      assetClass: 'STK',
    };
  });
}

function alsoRow({ conid, contractDesc, assetClass, currency = 'USD', position, mktPrice, units }: AlsoHeld) {
  const about = { acctId: ACCOUNT, conid, contractDesc, currency, assetClass };
  const mktValue = cents(position * mktPrice * units);
  const cost = { avgCost: mktPrice * units, avgPrice: mktPrice, realizedPnl: 0, unrealizedPnl: 0 };
  return { ...about, position, mktPrice, mktValue, ...cost };
}

function refusalOf(ticket: Ticket, taken: readonly Row[]): string | undefined {
  const { conid, orderType, price, auxPrice, quantity, cOID, outsideRTH, tif } = ticket;
  const last = PRICES[conid];
  if (last === undefined) return 'No contract of that conid';
  if (taken.some((row) => row.ticket.cOID === cOID)) {
    return `Order couldn't be submitted: Local order ID=${cOID} is already registered.`;
  }
  if (!Number.isInteger(quantity)) return 'This order does not support fractions';
  const needs = [orderType !== 'MKT', orderType === 'STOP_LIMIT'];
  if (needs[0] !== (price !== undefined) || needs[1] !== (auxPrice !== undefined)) return 'Prices do not fit the order';
  if (orderType.startsWith('ST') && !['DAY', 'GTC'].includes(tif)) return 'Time in force is not supported';
  if (outsideRTH === true && !(orderType === 'LMT' && ['DAY', 'GTC'].includes(tif)))
    return 'Outside RTH is not supported';
  if ([price, auxPrice].some((one) => one !== undefined && !isOnTick(String(one)))) {
    return 'The price does not conform to the minimum price variation for this contract.';
  }
  if (quantity * (price ?? last) > CASH) return 'Available funds are insufficient';
  return undefined;
}

function orderRow({ id, status, ticket }: Row) {
  const filled = status === 'Filled';
  const { orderType, price, auxPrice } = ticket;
  const names = { MKT: 'Market', LMT: 'Limit', STP: 'Stop', STOP_LIMIT: 'Stop Limit' } as const;
  return {
    acct: ACCOUNT,
    account: ACCOUNT,
    conid: ticket.conid,
    conidex: `${ticket.conid}`,
    orderId: id,
    orderDesc: `${ticket.side} ${ticket.quantity}`,
    ticker: SYMBOLS[ticket.conid] ?? '',
    secType: 'STK',
    listingExchange: 'NASDAQ.NMS',
    remainingQuantity: filled ? 0 : ticket.quantity,
    filledQuantity: filled ? ticket.quantity : 0,
    totalSize: ticket.quantity,
    companyName: 'WORKS INC',
    status,
    order_ccp_status: status,
    orderType: names[orderType],
    ...(price === undefined ? { price: '' } : { price: price.toFixed(isOnTick(price.toFixed(2)) ? 2 : 4) }),
    ...(auxPrice === undefined ? {} : { auxPrice: String(auxPrice) }),
    ...(filled ? { avgPrice: String(PRICES[ticket.conid]) } : {}),
    ...(ticket.cOID === undefined ? {} : { order_ref: ticket.cOID }),
    outsideRTH: ticket.outsideRTH ?? false,
    timeInForce: filled && ticket.tif === 'DAY' ? 'CLOSE' : ticket.tif,
    lastExecutionTime_r: NOON,
    side: ticket.side,
  };
}
