import { expect } from 'vitest';
import type { z } from 'zod';
import { createAssetCatalog } from '../../../src/gateway/broker/asset-catalog.ts';
import type { Broker } from '../../../src/gateway/broker/broker.ts';
import type { AccountCredentials } from '../../../src/gateway/broker/broker-credentials.ts';
import type { BrokerTraits } from '../../../src/gateway/broker/broker-traits.ts';
import {
  type BrokerSettings,
  brokerSettingsSchema,
  findBrokerKind,
  resolveBrokerTraits,
} from '../../../src/gateway/broker/brokers.ts';
import { Dec, formatPrice } from '../../../src/trading/decimal.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import type { OrderType } from '../../../src/trading/order-types.ts';
import { isFinalStatus, type Order } from '../../../src/trading/views.ts';
import { anOrderDraft } from '../../fixtures/builders.ts';
import { createWire, type Wire } from './wire.ts';

export type Changes = { [F in keyof OrderDraft]?: OrderDraft[F] | undefined };

/** The prices of each type, far from where it would trade unless it is a market order. */
export const pricesOf = (times: (factor: string) => string): Record<OrderType, Changes> => ({
  market: {},
  limit: { limit_price: times('0.5') },
  stop: { stop_price: times('1.5') },
  stop_limit: { stop_price: times('1.5'), limit_price: times('1.6') },
  stop_market: { side: 'sell', stop_price: times('0.5') },
  trailing_stop: { trail_percent: '20' },
});

export async function placed(broker: Broker, order: OrderDraft): Promise<Order> {
  const answer = await broker.submit(order);
  if (answer.outcome !== 'accepted') throw new Error(`the order is ${JSON.stringify(answer)}`);
  return answer.order;
}

export interface BrokerFixture {
  /** What `broker:` of `gateway.yaml` says. */
  readonly settings: Record<string, unknown>;
  readonly credentials: AccountCredentials;
  /**
   * Stands at some $10 to $1,000, and a market order for it is filled at once. The account holds some of it, and has
   * cash for a hundred.
   */
  readonly symbol: string;
  /** For a broker that tells no hours: a moment at which the market is open. */
  readonly now?: () => number;
  /** For a broker that is asked by POST as well: which requests may change something. */
  readonly isWrite?: (request: Request) => boolean;
  /** No symbol of the broker's. */
  readonly unknownSymbol: string;
  close(): Promise<void>;
}

/** What the contract is tried on: the fixture's account, by the adapter, over a wire that can go wrong. */
export interface Bench {
  readonly fixture: BrokerFixture;
  readonly traits: BrokerTraits;
  readonly broker: Broker;
  readonly wire: Wire;
  readonly unauthorized: () => number;
  connect(timeoutMs: number): Broker;
  /**
   * A purchase of one share under an id of its own, far from where it would trade unless it is a market order. What is
   * `undefined` in the changes is left out of it.
   */
  order(type: OrderType, changes?: Changes): OrderDraft;
  resting(): Promise<Order>;
  filled(): Promise<Order>;
}

export async function openBench(fixture: BrokerFixture): Promise<Bench> {
  const wire = createWire(fixture.isWrite);
  let unauthorized = 0;
  const settings: BrokerSettings = brokerSettingsSchema.parse(fixture.settings);
  const kind = findBrokerKind(settings);
  const connect = (timeoutMs: number) =>
    kind.connect(settings, {
      environment: 'paper',
      fetch: wire.send,
      timeoutMs,
      now: fixture.now ?? Date.now,
      // A broker that says how seldom it may be asked is a stand-in here: nobody waits for it.
      sleep: async () => undefined,
      assets: createAssetCatalog(Date.now),
    })(fixture.credentials, () => unauthorized++);
  const broker = connect(10_000);
  const { account } = await broker.account();
  const [quote] = await broker.quotes([fixture.symbol]);
  if (quote === undefined) throw new Error(`there is no price for ${fixture.symbol}`);
  const times = (factor: string) => formatPrice(new Dec(quote.last).times(factor));
  const prices = pricesOf(times);
  const place = async (order: OrderDraft) => {
    const made = await placed(broker, order);
    wire.writes();
    return made;
  };
  const bench: Bench = {
    fixture,
    traits: resolveBrokerTraits(settings),
    broker,
    wire,
    unauthorized: () => unauthorized,
    connect,
    order: (type, changes = {}) =>
      anOrderDraft({
        account,
        symbol: fixture.symbol,
        qty: '1',
        type,
        limit_price: undefined,
        reference_price: formatPrice(quote.last),
        ...prices[type],
        ...changes,
      }),
    resting: () => place(bench.order('limit')),
    async filled() {
      const order = await place(bench.order('market'));
      expect(order).toMatchObject({ status: 'filled', filled_qty: '1' });
      return order;
    },
  };
  return bench;
}

export async function clear(broker: Broker, { id, status }: Order): Promise<void> {
  if (!isFinalStatus(status)) await broker.cancel(id);
}

/** The value, which has everything that the schema asks for and nothing beside it. */
export function exactly<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const read = schema.parse(value);
  expect(value).toEqual(read);
  return read;
}
