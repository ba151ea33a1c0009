import assert from 'node:assert/strict';
import { createAssetCatalog } from '../../../src/gateway/broker/asset-catalog.ts';
import type { Broker } from '../../../src/gateway/broker/broker.ts';
import type { AccountCredentials } from '../../../src/gateway/broker/broker-credentials.ts';
import { brokerSettingsSchema, findBrokerKind, resolveBrokerTraits } from '../../../src/gateway/broker/brokers.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import type { Order } from '../../../src/trading/views.ts';
import { MCP_TOKEN, startAlpacaMcp } from '../../integration/gateway/support/alpaca-mcp-server.ts';
import { startIbkr } from '../../integration/gateway/support/ibkr-stand-in.ts';
import { NOON, startSnaptrade } from '../../integration/gateway/support/snaptrade-stand-in.ts';
import { startTradier } from '../../integration/gateway/support/tradier-stand-in.ts';
import { KEYS, startWorld, TUESDAY_NOON } from '../../integration/sandbox/paper-broker-world.ts';
import type { OpenTarget, Target } from './target.ts';

interface StandIn {
  readonly settings: Record<string, unknown>;
  readonly credentials: AccountCredentials;
  readonly symbol: string;
  readonly now: number;
  readonly isWrite?: (request: Request) => boolean;
  close(): Promise<void>;
}

const standIns: Readonly<Record<string, () => Promise<StandIn>>> = {
  async alpaca() {
    const paper = await startWorld({ requestsPerMinute: 1e9 });
    return {
      settings: { kind: 'alpaca', credentials: 'key_pair', trading_url: paper.url, simulated: true },
      credentials: KEYS.alice,
      symbol: 'AAPL',
      now: TUESDAY_NOON,
      close: () => paper.close(),
    };
  },
  async tradier() {
    const server = await startTradier();
    return {
      settings: { kind: 'tradier', credentials: 'access_token', url: server.url },
      credentials: { token: server.token, accountNumber: server.account },
      symbol: 'GEAR',
      now: NOON,
      close: () => server.close(),
    };
  },
  async snaptrade() {
    const server = await startSnaptrade();
    return {
      settings: { kind: 'snaptrade', credentials: 'snaptrade_user', url: server.url },
      credentials: server.credentials,
      symbol: 'GEAR',
      now: NOON,
      close: () => server.close(),
    };
  },
  async ibkr() {
    const server = await startIbkr();
    return {
      settings: { kind: 'ibkr', credentials: 'gateway_session', url: server.url, orders_every: 0 },
      credentials: { account: server.account },
      symbol: 'GEAR',
      now: NOON,
      close: () => server.close(),
    };
  },
  async mcp() {
    const server = await startAlpacaMcp();
    return {
      settings: {
        ...{ kind: 'mcp', url: server.url, environment: 'paper', preset: 'alpaca' },
        ...{ pins: server.pins, simulated: true },
      },
      credentials: { accessToken: MCP_TOKEN },
      symbol: 'AAPL',
      now: TUESDAY_NOON,
      isWrite: ({ headers }) => /place|cancel|replace/.test(headers.get('mcp-name') ?? ''),
      close: () => server.close(),
    };
  },
};

const draft = (symbol: string): OrderDraft => ({
  ...{ account: 'PA1', environment: 'paper', symbol, side: 'buy', qty: '1', type: 'limit', limit_price: '1' },
  ...{ time_in_force: 'day', extended_hours: false, reference_price: '1', max_slippage: '0.05' },
  ...{ client_order_id: 'ta-00000001', expires_at: '2099-01-01T00:00:00Z' },
});

const calls: Readonly<Record<string, (broker: Broker, symbol: string) => Promise<unknown>>> = {
  account: (broker) => broker.account(),
  positions: (broker) => broker.positions(),
  orders: (broker) => broker.orders({ status: 'all', limit: 50, symbols: [] }),
  order: (broker) => broker.order('904837e3-3b76-47ec-b432-046db621571b'),
  byId: (broker) => broker.orderByClientOrderId('ta-00000001'),
  asset: (broker, symbol) => broker.asset(symbol),
  assets: (broker) => broker.assets(),
  contracts: async (broker, underlying) =>
    await broker.optionContracts?.({
      ...{ underlying, expires: { from: '2026-11-01', to: '2027-01-31' } },
      ...{ right: undefined, strike: undefined, limit: 5 },
    }),
  quotes: (broker, symbol) => broker.quotes([symbol]),
  bars: (broker, symbol) =>
    broker.bars({
      symbol,
      timeframe: '1Day',
      start: new Date('2026-11-01'),
      end: new Date('2026-11-20'),
      limit: 5,
    }),
  clock: (broker) => broker.clock(),
  calendar: (broker) => broker.calendar({ start: '2026-11-20', end: '2026-11-30' }),
  activities: (broker) => broker.activities({ after: undefined, page: undefined }),
  history: (broker) => broker.portfolioHistory({ period: '1M', timeframe: undefined }),
  news: (broker, symbol) => broker.news({ symbols: [symbol], limit: 3 }),
  actions: (broker, symbol) =>
    broker.corporateActions({ start: '2026-01-01', end: '2026-12-31', symbols: [symbol], limit: 5 }),
  watchlist: (broker) => broker.watchlist(),
  watch: (broker, symbol) => broker.setWatchlist([symbol]),
  submit: (broker, symbol) => broker.submit(draft(symbol)),
  replace: (broker, symbol) =>
    broker.replace('904837e3-3b76-47ec-b432-046db621571b', {
      order: { ...draft(symbol), client_order_id: 'ta-00000002', limit_price: '2' },
      changes: { limit_price: '2' },
    }),
  cancel: (broker) => broker.cancel('904837e3-3b76-47ec-b432-046db621571b'),
};

/** The answers to a call's requests; the last one repeats. */
type Met = { readonly call: string; readonly answers: readonly Answer[] };
type Answer = { readonly status: number; readonly type?: string; readonly body: unknown };

/** Requests of one call; more would be a loop that an answer leads into. */
const MOST_REQUESTS = 60;

/**
 * Whatever the broker answers, a read is a view of ours or a refusal, and an order is sent once, and taken only where the
 * answer is about that order.
 */
export const brokerTargets: Readonly<Record<string, OpenTarget>> = Object.fromEntries(
  Object.entries(standIns).map(([name, start]) => [`answers of ${name}`, () => openBroker(start)]),
);

async function openBroker(start: () => Promise<StandIn>): Promise<Target> {
  const standIn = await start();
  const { symbol, now, isWrite = ({ method }: Request) => method !== 'GET' } = standIn;
  const settings = brokerSettingsSchema.parse(standIn.settings);
  const traits = resolveBrokerTraits(settings);
  const connect = (send: typeof fetch) =>
    findBrokerKind(settings).connect(settings, {
      environment: 'paper',
      fetch: send,
      timeoutMs: 5_000,
      now: () => now,
      sleep: async () => undefined,
      assets: createAssetCatalog(() => now),
    })(standIn.credentials, () => undefined);

  return {
    async seeds() {
      const met: string[] = [];
      for (const [call, ask] of Object.entries(calls)) {
        const answers: Answer[] = [];
        const broker = connect(async (input, init) => {
          const response = await fetch(input, init);
          const text = await response.clone().text();
          const type = response.headers.get('content-type') ?? undefined;
          answers.push({
            status: response.status,
            ...(type === undefined ? {} : { type }),
            body: bodyOf(text),
          });
          return response;
        });
        await ask(broker, symbol).catch(() => undefined);
        met.push(JSON.stringify({ call, answers } satisfies Met));
      }
      return met;
    },
    async read(text) {
      const met = metOf(text);
      if (met === undefined) return;
      let requests = 0;
      let writes = 0;
      const broker = connect(async (input, init) => {
        const request = new Request(input, init);
        if (isWrite(request)) writes += 1;
        const {
          status,
          type = 'application/json',
          body,
        } = met.answers[Math.min(requests++, met.answers.length - 1)] as Answer;
        if (requests > MOST_REQUESTS) throw new Error(`asked ${requests} times`);
        if (status === 0) throw new TypeError('fetch failed');
        const content = typeof body === 'string' ? body : JSON.stringify(body);
        const isBare = [204, 205, 304].includes(status);
        return new Response(isBare ? null : content, { status, headers: { 'content-type': type } });
      });
      try {
        const answer = await calls[met.call]?.(broker, symbol);
        if (met.call === 'submit') requireOurs(answer as never);
      } catch (error) {
        // What becomes of an order is told, never thrown.
        if (met.call === 'submit' || met.call === 'replace') throw new Error('it throws', { cause: error });
        throw error;
      } finally {
        assert.ok(requests <= MOST_REQUESTS, `it asked ${requests} times`);
        // IBKR asks back before it takes an order, and each answer is a POST.
        if (met.call === 'submit' && settings.kind !== 'ibkr') assert.ok(writes <= 1, `${writes} writes`);
      }
    },
    close: () => standIn.close(),
  };

  /** By our id, or by the order if the broker reports none. */
  function requireOurs({ outcome, ...rest }: { outcome: string; order?: Order }): void {
    if (outcome !== 'accepted' || rest.order === undefined) return;
    const { client_order_id: id, symbol: about, side } = rest.order;
    if (id === 'ta-00000001') return;
    assert.equal(traits.clientOrderId.acceptedOnce, false, `it is told ${id}`);
    assert.deepEqual([about, side], [symbol, 'buy']);
  }
}

function bodyOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function metOf(text: string): Met | undefined {
  const met = bodyOf(text) as Met | null;
  if (typeof met !== 'object' || met === null || !Object.hasOwn(calls, String(met.call))) return undefined;
  const { call, answers } = met;
  if (!Array.isArray(answers) || answers.length === 0) return undefined;
  const sound = answers.filter(
    (answer): answer is Answer =>
      typeof answer === 'object' &&
      answer !== null &&
      Object.hasOwn(answer, 'body') &&
      (answer.status === 0 || (Number.isInteger(answer.status) && answer.status >= 200 && answer.status <= 599)) &&
      (answer.type === undefined || (typeof answer.type === 'string' && /^[\x21-\x7e ]{1,80}$/.test(answer.type))),
  );
  return sound.length === answers.length ? { call, answers: sound } : undefined;
}
