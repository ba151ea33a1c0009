import { randomUUID } from 'node:crypto';
import Database from 'better-sqlite3-multiple-ciphers';
import type { IsTakenBack } from '../../../../src/approval/kernel-parts.ts';
import type { OpenAccount } from '../../../../src/gateway/broker/accounts.ts';
import { connectAlpaca } from '../../../../src/gateway/broker/alpaca/alpaca-broker.ts';
import { alpacaTraits } from '../../../../src/gateway/broker/alpaca/traits.ts';
import { createAssetCatalogue } from '../../../../src/gateway/broker/asset-catalogue.ts';
import type { BrokerTraits } from '../../../../src/gateway/broker/broker-traits.ts';
import type { Caller } from '../../../../src/gateway/door/caller.ts';
import { createOrderDesk, type OrderDesk } from '../../../../src/gateway/orders/place-order.ts';
import { createOrderRules } from '../../../../src/gateway/policy/order-rules.ts';
import { staticRules } from '../../../../src/gateway/policy/rules.ts';
import { utcSeconds } from '../../../../src/machine/clock.ts';
import type { GatewayStores } from '../../../../src/store/gateway-stores.ts';
import type { MandateStore } from '../../../../src/store/mandate-store.ts';
import type { OrderJournal } from '../../../../src/store/order-journal.ts';
import { sqliteGatewayStores } from '../../../../src/store/sqlite/gateway-stores.ts';
import type { OrderDraft } from '../../../../src/trading/order.ts';
import { type AlpacaStandIn, type StandInOrder, startAlpacaStandIn } from './alpaca-stand-in.ts';
import { firstAnswer } from './first-answer.ts';
import { openedAt } from './opened-account.ts';
import { type TestClock, testClock } from './test-clock.ts';

/** An order desk over Alpaca's SDK, before a broker that does as a test tells it; no HTTP in front. */
export interface DeskWorld {
  readonly clock: TestClock;
  readonly alpaca: AlpacaStandIn;
  readonly journal: OrderJournal;
  readonly stores: GatewayStores;
  readonly traits: BrokerTraits;
  readonly broker: OpenAccount;
  desk: OrderDesk;
  /** A resting order of alice's at the broker. */
  resting(changes?: Record<string, unknown>): StandInOrder;
  draft(changes?: Partial<OrderDraft>): OrderDraft;
  caller(changes?: Partial<Caller>): Caller;
  /** Another desk on the same journal, as after kill -9. */
  restart(): void;
  readonly mandates: MandateStore;
  /** Another process's desk over the same data. */
  another(): OrderDesk;
  /** Runs after each claim, before anything is sent. */
  onClaimed: () => Promise<void>;
  /** What a company has taken back; nothing unless set. */
  isTakenBack: IsTakenBack;
  close(): Promise<void>;
}

export async function startDesk(): Promise<DeskWorld> {
  const clock = testClock();
  const alpaca = await startAlpacaStandIn();
  const database = new Database(':memory:');
  const stores = sqliteGatewayStores(database);
  const { orders, halts, decisions, mandates } = stores;
  const journal: OrderJournal = {
    ...orders,
    async claim(...given) {
      const outcome = await orders.claim(...given);
      await world.onClaimed();
      return outcome;
    },
  };
  const connect = connectAlpaca({
    environment: 'paper',
    tradingUrl: alpaca.url,
    dataUrl: alpaca.url,
    simulated: true,
    fetch,
    timeoutMs: 300,
    assets: createAssetCatalogue(clock.now),
  });
  const brokerOf = (sub: string) => openedAt(connect({ accessToken: `broker-token-of-${sub}` }, () => {}));
  await firstAnswer(alpaca);
  const start = () =>
    createOrderDesk({
      journal,
      halts,
      mandates,
      rules: createOrderRules({
        ...{ journal, halts, decisions, clock },
        rules: staticRules(),
        relations: { check: async () => true },
      }),
      brokerFor: async ({ sub }) => brokerOf(sub),
      gateway: 'https://gateway.example',
      issuer: 'https://issuer.example',
      detailsType: 'trade_order',
      environment: 'paper',
      clock,
      isTakenBack: (of, at) => world.isTakenBack(of, at),
    });
  const world: DeskWorld = {
    clock,
    alpaca,
    journal,
    stores,
    traits: alpacaTraits,
    broker: brokerOf('alice'),
    desk: start(),
    mandates,
    another: start,
    onClaimed: async () => {},
    isTakenBack: () => false,
    resting(changes = {}) {
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
    draft: (changes = {}) => ({
      account: 'PA3ALICE01',
      environment: 'paper',
      symbol: 'AAPL',
      side: 'buy',
      qty: '5',
      type: 'limit',
      time_in_force: 'gtc',
      limit_price: '171.00',
      extended_hours: false,
      reference_price: '180.01',
      max_slippage: '0.01',
      client_order_id: `ta-${randomUUID()}`,
      expires_at: utcSeconds(clock.now() + 240_000),
      ...changes,
    }),
    caller: (changes = {}) => ({
      sub: 'alice',
      clientId: 'gateway',
      scopes: new Set(['orders:write']),
      jti: randomUUID(),
      authorizationDetails: undefined,
      accessToken: 'access-token',
      expiresAt: clock.now() + 300_000,
      ...changes,
    }),
    restart() {
      world.desk = start();
    },
    async close() {
      await alpaca.close();
      database.close();
    },
  };
  return world;
}
