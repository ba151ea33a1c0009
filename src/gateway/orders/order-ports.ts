import { randomUUID } from 'node:crypto';
import type { Proposer } from '../../approval/kind.ts';
import type { BatchPorts } from '../../approval/kinds/batch/kind.ts';
import type { CancelPorts } from '../../approval/kinds/cancel/kind.ts';
import { orderEffects } from '../../approval/kinds/order/effects.ts';
import { draftOrder, type OrderContext, requireWellFormedOrder } from '../../approval/kinds/order/kind.ts';
import type { ReplacePorts } from '../../approval/kinds/replace/kind.ts';
import { formatUtcSeconds } from '../../machine/clock.ts';
import type { OrderJournal } from '../../store/order-journal.ts';
import { symbolAssetClass } from '../../trading/asset-class.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import type { OrderProposalRequest } from '../../trading/kinds/order.ts';
import type { DecisionView } from '../../trading/policy-views.ts';
import { DEFAULT_TTL_S } from '../../trading/proposal.ts';
import { protectsPosition } from '../../trading/protects.ts';
import type { Order } from '../../trading/views.ts';
import { computeWorstCase } from '../../trading/worst-case.ts';
import { defined } from '../../values/defined.ts';
import { toCaller } from '../auth/caller.ts';
import { toRecordedProblem } from '../auth/problem.ts';
import type { OpenAccount, OpenAccountFor } from '../broker/accounts.ts';
import type { OrderUpdateHub } from '../broker/updates/order-update-hub.ts';
import type { OrderRules } from '../policy/order-rules.ts';
import { type BrokerSnapshot as BrokerWorld, requireSymbolSnapshot } from '../policy/order-world.ts';
import { cancelApprovedOrder, orderNotFoundProblem } from './cancel-order.ts';
import type { OrderService } from './place-order.ts';
import { computeOrderChanges } from './replacement.ts';

interface OrderPortsOptions extends Pick<ReplacePorts, 'cover'> {
  readonly orderService: OrderService;
  readonly rules: OrderRules;
  readonly brokerFor: OpenAccountFor;
  readonly updates: Pick<OrderUpdateHub, 'listen'>;
  /** Whether the gateway has several brokers. If so, approval requests name the order's broker. */
  readonly hasSeveralBrokers: boolean;
  readonly maxSlippage: string;
  readonly journal: Pick<OrderJournal, 'recordReport'>;
  readonly now: () => number;
}

export function createOrderPorts(options: OrderPortsOptions): ReplacePorts & CancelPorts & BatchPorts {
  const { orderService: desk, rules, brokerFor, updates, hasSeveralBrokers, maxSlippage, journal, now } = options;
  const shown = (proposer: Proposer, broker: OpenAccount, world: BrokerWorld) =>
    toOrderWorld(rules, proposer, world, {
      shareDecimals: shareDecimalsFor(broker, world.asset.symbol),
      fees: broker.traits.fees,
      ...(hasSeveralBrokers ? { broker: broker.at.label } : {}),
    });
  return {
    maxSlippage,
    cover: options.cover,
    async orderContext(proposer, account, symbol) {
      const broker = await brokerFor(proposer, account);
      return shown(proposer, broker, requireSymbolSnapshot(await rules.worlds(broker, [symbol]), symbol));
    },
    async orderContexts(proposer, account, symbols) {
      const broker = await brokerFor(proposer, account);
      const worlds = await rules.worlds(broker, symbols);
      return new Map([...worlds].map(([symbol, world]) => [symbol, shown(proposer, broker, world)]));
    },
    prepare: (draft, owner) => desk.prepare(draft, toCaller(owner)),
    place: async (approved, owner) => (await desk.placeApproved(approved, toCaller(owner))).order,
    abandon: (sub, clientOrderId) => desk.abandon({ sub, clientOrderId }),
    async outcome(proposer, clientOrderId) {
      const entry = await desk.settle(toCaller(proposer), clientOrderId);
      if (entry?.problem !== undefined) throw toRecordedProblem(entry.problem);
      if (entry?.order === undefined) return undefined;
      // The journal has only the broker's first response, so the order's current state is read from the broker. If that
      // fails, the order is still placed, and must not throw, because the caller would interpret an error as "not
      // placed".
      try {
        return (await (await brokerFor(proposer, entry.draft.account)).order(entry.order.id)) ?? entry.order;
      } catch (error) {
        if (!(error instanceof HttpProblem)) throw error;
        return entry.order;
      }
    },
    async order(proposer, account, id, clientOrderId) {
      const order = await (await brokerFor(proposer, account)).order(id);
      if (order !== undefined) await journal.recordReport({ sub: proposer.sub, clientOrderId }, order, now());
      return order;
    },
    news: (proposer, account, orders) => updates.listen(proposer, account, new Set(orders.flatMap(orderIds))),
    async openOrder(proposer, asked, id) {
      const broker = await brokerFor(proposer, asked);
      const [order, account, positions] = await Promise.all([broker.order(id), broker.account(), broker.positions()]);
      if (order === undefined) throw orderNotFoundProblem();
      return {
        order,
        account,
        ...(hasSeveralBrokers ? { broker: broker.at.label } : {}),
        protects: protectsPosition(order, positions),
        requireReplaceable: (draft) => void computeOrderChanges(draft, order, broker.traits),
      };
    },
    cancel: async (subject, owner) => cancelApprovedOrder(subject, await brokerFor(owner, subject.account)),
  };
}

function orderIds({ id, client_order_id, legs = [] }: Order): string[] {
  return [id, client_order_id, ...legs.flatMap(orderIds)];
}

/** Returns how many decimals a quantity of shares may have; zero if only whole shares, or none, can be ordered. */
function shareDecimalsFor({ traits }: Pick<OpenAccount, 'traits'>, symbol: string): number {
  return traits.orders[symbolAssetClass(symbol)]?.fractions.decimals ?? 0;
}

function toOrderWorld(
  rules: OrderRules,
  proposer: Proposer,
  world: BrokerWorld,
  about: Pick<OrderContext, 'shareDecimals' | 'broker' | 'fees'>,
): OrderContext {
  const { account, quote, asset, positions, market } = world;
  return {
    ...about,
    account,
    quote: { ...quote, name: quote.name ?? asset.name },
    positions,
    market,
    requireAllowed(draft, { replaces, after } = {}) {
      const approval = draft.mandate === undefined ? 'none' : 'mandate';
      const { sub: owner, clientId: client, by, membership, origin } = proposer;
      const subject = { sub: by ?? owner, client, membership, owner, approval, approvers: [], origin } as const;
      return rules.requireAllowed({ subject, draft, replaces, after }, world, 'proposal');
    },
  };
}

interface OrderCheckOptions extends Pick<OrderPortsOptions, 'brokerFor' | 'maxSlippage' | 'now'> {
  readonly rules: OrderRules;
}

/**
 * Returns the decision that an order would get if it were proposed now, without asking for approval or storing
 * anything.
 * @throws {HttpProblem} the same problems as a proposal of the order
 */
export type OrderCheck = (who: Proposer, request: OrderProposalRequest) => Promise<DecisionView>;

export function createOrderCheck({ rules, brokerFor, maxSlippage, now }: OrderCheckOptions): OrderCheck {
  return async (proposer, request) => {
    requireWellFormedOrder(request);
    const { symbol, account } = request;
    const broker = await brokerFor(proposer, account);
    const found = requireSymbolSnapshot(await rules.worlds(broker, [symbol]), symbol);
    const world = { ...found, shareDecimals: shareDecimalsFor(broker, symbol), fees: broker.traits.fees };
    const draft = draftOrder(
      request,
      world,
      { maxSlippage },
      {
        subjectId: `ta-check-${randomUUID()}`,
        expiresAt: formatUtcSeconds(now() + DEFAULT_TTL_S * 1000),
      },
    );
    const { sub, clientId: client, membership, origin } = proposer;
    const subject = { sub, client, membership, owner: sub, approval: 'none', approvers: [], origin } as const;
    const { problem, reasons, texts, ...decision } = await rules.decision({ subject, draft }, found);
    const worst_case = computeWorstCase(draft);
    const quote = { ...found.quote, name: found.quote.name ?? found.asset.name };
    const { shows, warnings } = orderEffects(draft, worst_case, { ...found, quote });
    return {
      ...decision,
      ...defined({ problem: problem?.code }),
      account: draft.account,
      environment: draft.environment,
      reasons: [...reasons],
      texts: [...texts],
      worst_case,
      warnings: [...warnings],
      shows: { ...shows },
    };
  };
}
