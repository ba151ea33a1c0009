import type { Approved, Proposer } from '../../approval/kind.ts';
import type { BatchPorts } from '../../approval/kinds/batch/kind.ts';
import type { CancelPorts } from '../../approval/kinds/cancel/kind.ts';
import type { OrderWorld } from '../../approval/kinds/order/kind.ts';
import type { ReplacePorts } from '../../approval/kinds/replace/kind.ts';
import type { OrderJournal } from '../../store/order-journal.ts';
import { assetClassOf } from '../../trading/asset-class.ts';
import { protectsPosition } from '../../trading/protects.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { Broker } from '../broker/broker.ts';
import type { BrokerTraits } from '../broker/broker-traits.ts';
import type { Caller } from '../door/caller.ts';
import { recordedRefusal } from '../door/recorded-refusal.ts';
import type { OrderRules } from '../policy/order-rules.ts';
import { type OrderWorld as BrokerWorld, requireSymbol } from '../policy/order-world.ts';
import { cancelApproved, orderNotFound } from './cancel-desk.ts';
import type { OrderDesk } from './place-order.ts';
import { changesTo } from './replacement.ts';

export interface OrderPortsOptions extends Pick<ReplacePorts, 'cover'> {
  readonly desk: OrderDesk;
  readonly rules: OrderRules;
  readonly brokerFor: (who: Pick<Caller, 'sub' | 'accessToken'>) => Promise<Broker>;
  readonly traits: BrokerTraits;
  readonly maxSlippage: string;
  readonly journal: Pick<OrderJournal, 'over'>;
  readonly now: () => number;
}

/** What the approval kernel does about orders: by this gateway's desk, rules and broker. */
export function orderPorts(options: OrderPortsOptions): ReplacePorts & CancelPorts & BatchPorts {
  const { desk, rules, brokerFor, traits, maxSlippage, journal, now } = options;
  return {
    maxSlippage,
    cover: options.cover,
    shareDecimals: decimalsOf(traits),
    async world(proposer, symbol) {
      const worlds = await rules.worlds(await brokerFor(proposer), [symbol]);
      return shownWorld(rules, proposer, requireSymbol(worlds, symbol));
    },
    async worlds(proposer, symbols) {
      const worlds = await rules.worlds(await brokerFor(proposer), symbols);
      return new Map([...worlds].map(([symbol, world]) => [symbol, shownWorld(rules, proposer, world)]));
    },
    place: async (approved, owner) => (await desk.placeApproved(approved, callerOf(owner))).order,
    async outcome(asker, clientOrderId) {
      const entry = await desk.settle(callerOf(asker), clientOrderId);
      if (entry?.problem !== undefined) throw recordedRefusal(entry.problem);
      if (entry?.order === undefined) return undefined;
      // The journal keeps the first answer; what has become of the order since is the broker's to say. Where it can't be
      // asked now, or with this token, the order is placed all the same: a refusal here would read as a no.
      try {
        return (await (await brokerFor(asker)).order(entry.order.id)) ?? entry.order;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return entry.order;
      }
    },
    async order(asker, id, clientOrderId) {
      const order = await (await brokerFor(asker)).order(id);
      if (order !== undefined) await journal.over({ sub: asker.sub, clientOrderId }, order, now());
      return order;
    },
    async openOrder(proposer, id) {
      const broker = await brokerFor(proposer);
      const [order, account, positions] = await Promise.all([
        broker.order(id),
        broker.account(),
        broker.positions(),
      ]);
      if (order === undefined) throw orderNotFound();
      return { order, account, protects: protectsPosition(order, positions) };
    },
    requireReplaceable: (draft, order) => void changesTo(draft, order, traits),
    cancel: async (subject, owner) => cancelApproved(subject, await brokerFor(owner)),
  };
}

/** To so many decimals a symbol can be ordered; zero where it is traded whole, or not at all. */
export const decimalsOf =
  ({ orders }: Pick<BrokerTraits, 'orders'>) =>
  (symbol: string): number =>
    orders[assetClassOf(symbol)]?.fractions.decimals ?? 0;

/** What of a world an order is completed with, and the rules that it is held to in it. */
function shownWorld(rules: OrderRules, proposer: Proposer, world: BrokerWorld): OrderWorld {
  const { account, quote, asset, positions, market } = world;
  return {
    account,
    quote: { ...quote, name: quote.name ?? asset.name },
    positions,
    market,
    requireAllowed(draft, { replaces, after } = {}) {
      const approval = draft.mandate === undefined ? 'none' : 'mandate';
      const { sub: owner, clientId: client, by } = proposer;
      const subject = { sub: by ?? owner, client, owner, approval, approvers: [] } as const;
      return rules.requireAllowed({ subject, draft, replaces, after }, world, 'proposal');
    },
  };
}

/** Whoever acts by an approval, or asks about one, acts by nothing else: no scope of theirs counts. */
export function callerOf(who: Approved | Proposer): Caller {
  return {
    scopes: new Set(),
    jti: '',
    authorizationDetails: undefined,
    expiresAt: 0,
    ...who,
  };
}
