import { randomUUID } from 'node:crypto';
import Database from 'better-sqlite3-multiple-ciphers';
import type { IsRevokedBySignal } from '../../../../src/approval/kernel-deps.ts';
import type { Caller } from '../../../../src/gateway/auth/caller.ts';
import { createAlpacaConnector } from '../../../../src/gateway/broker/alpaca/alpaca-broker.ts';
import { createAssetCatalog } from '../../../../src/gateway/broker/asset-catalog.ts';
import { createOrderService, type OrderService } from '../../../../src/gateway/orders/place-order.ts';
import { createOrderRules } from '../../../../src/gateway/policy/order-rules.ts';
import { createStaticRulesSource } from '../../../../src/gateway/policy/rules.ts';
import { formatUtcSeconds } from '../../../../src/machine/clock.ts';
import type { GatewayStores } from '../../../../src/store/gateway-stores.ts';
import type { OrderJournal } from '../../../../src/store/order-journal.ts';
import { createSqliteGatewayStores } from '../../../../src/store/sqlite/gateway-stores.ts';
import { TRADE_ORDER_DETAILS_TYPE } from '../../../../src/trading/approval-details.ts';
import { anOrderDraft, type OrderChanges } from '../../../fixtures/builders.ts';
import { type StandInOrder, startAlpacaStandIn } from './alpaca-stand-in.ts';
import { firstAnswer } from './first-answer.ts';
import { openedAt } from './opened-account.ts';
import { testClock } from './test-clock.ts';
import { closedAfter } from './world.ts';

type DeskParts = Parameters<typeof createOrderService>[0];

/** An order desk on paper, with no rules of its own. */
export function deskOver(
  { orders: journal, halts, decisions, mandates, proposals }: GatewayStores,
  parts: Partial<DeskParts> & Pick<DeskParts, 'brokerFor' | 'clock'>,
): OrderService {
  return createOrderService({
    journal,
    halts,
    mandates,
    rules: createOrderRules({
      journal,
      halts,
      decisions,
      proposals,
      clock: parts.clock,
      rules: createStaticRulesSource(),
      relations: { check: async () => true },
    }),
    gateway: 'https://gateway.example',
    issuer: 'https://issuer.example',
    detailsType: TRADE_ORDER_DETAILS_TYPE,
    environment: 'paper',
    ...parts,
  });
}

export type DeskWorld = Awaited<ReturnType<typeof startDesk>>;

/** An order desk over Alpaca's SDK, before a broker that does as a test tells it; no HTTP in front. */
export async function startDesk() {
  const clock = testClock();
  const alpaca = await startAlpacaStandIn();
  const database = new Database(':memory:');
  const stores = createSqliteGatewayStores(database);
  const journal: OrderJournal = {
    ...stores.orders,
    async claim(...given) {
      const outcome = await stores.orders.claim(...given);
      await world.onClaimed();
      return outcome;
    },
  };
  const connect = createAlpacaConnector({
    environment: 'paper',
    tradingUrl: alpaca.url,
    dataUrl: alpaca.url,
    simulated: true,
    fetch,
    timeoutMs: 300,
    assets: createAssetCatalog(clock.now),
  });
  const brokerOf = (sub: string) => openedAt(connect({ accessToken: `broker-token-of-${sub}` }, () => {}));
  await firstAnswer(alpaca);
  const start = (): OrderService =>
    deskOver(
      { ...stores, orders: journal },
      {
        brokerFor: async ({ sub }) => brokerOf(sub),
        clock,
        isRevokedBySignal: (of, at): Promise<boolean> => world.isRevokedBySignal(of, at),
      },
    );
  const world = {
    clock,
    alpaca,
    journal,
    stores,
    broker: brokerOf('alice'),
    desk: start(),
    mandates: stores.mandates,
    /** Another process's desk over the same data. */
    another: start,
    /** Runs after each claim, before anything is sent. */
    onClaimed: async () => {},
    /** What a company has taken back; nothing unless set. */
    isRevokedBySignal: (async () => false) as IsRevokedBySignal,
    /** A resting order of alice's at the broker. */
    resting(changes: Record<string, unknown> = {}) {
      const order: StandInOrder = {
        id: randomUUID(),
        owner: 'alice',
        request: {
          symbol: 'AAPL',
          side: 'buy',
          qty: '5',
          type: 'limit',
          time_in_force: 'gtc',
          limit_price: '170',
          extended_hours: false,
          client_order_id: `earlier-${randomUUID()}`,
          ...changes,
        },
        status: 'accepted',
      };
      alpaca.book.push(order);
      return order;
    },
    draft: (changes: OrderChanges = {}) =>
      anOrderDraft({
        time_in_force: 'gtc',
        limit_price: '171.00',
        expires_at: formatUtcSeconds(clock.now() + 240_000),
        ...changes,
      }),
    caller: (changes: Partial<Caller> = {}): Caller => ({
      sub: 'alice',
      clientId: 'gateway',
      scopes: new Set(['orders:write']),
      jti: randomUUID(),
      authorizationDetails: undefined,
      accessToken: 'access-token',
      expiresAt: clock.now() + 300_000,
      ...changes,
    }),
    /** Another desk on the same journal, as after kill -9. */
    restart() {
      world.desk = start();
    },
    async close() {
      await alpaca.close();
      database.close();
    },
  };
  return closedAfter(world);
}
