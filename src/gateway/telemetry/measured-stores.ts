import type { GatewayStores } from '../../store/gateway-stores.ts';
import { type Attributes, type Instruments, SECONDS } from './instruments.ts';

/**
 * - `trade_agent.proposals`: transitions, by kind and new state
 * - `trade_agent.proposal.state.duration`: seconds in a state, by kind, state and the next state
 * - `trade_agent.proposals.open`: unsettled ones, `unknown` included, when asked
 * - `trade_agent.orders`: by `outcome`: `claimed`, `known`, `approval_used`, `denied`; `placed`, `rejected`, `unknown`
 */
export function measuredStores({ meter, clock }: Instruments, stores: GatewayStores): GatewayStores {
  const moves = meter.createCounter('trade_agent.proposals', {
    description: 'Proposals by the state that they came to.',
  });
  const stayed = meter.createHistogram('trade_agent.proposal.state.duration', {
    unit: 's',
    description: 'How long proposals were in a state before the next.',
    advice: { explicitBucketBoundaries: SECONDS },
  });
  const outcomes = meter.createCounter('trade_agent.orders', {
    description: 'Orders by what came of asking for them, and of sending them.',
  });
  const open = meter.createObservableGauge('trade_agent.proposals.open', {
    description: 'Proposals that are not settled.',
  });
  const { proposals, orders } = stores;
  open.addCallback(async (result) => result.observe((await proposals.openIds()).length));
  const count = (outcome: string) => outcomes.add(1, { outcome });
  const counting =
    <Args extends readonly unknown[], Result>(outcome: string, write: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      const result = await write(...args);
      count(outcome);
      return result;
    };
  return {
    ...stores,
    proposals: {
      ...proposals,
      async draft(draft, ...rest) {
        const drafted = await proposals.draft(draft, ...rest);
        if (drafted.outcome === 'drafted') moves.add(1, { kind: draft.kind, state: 'drafted' });
        return drafted;
      },
      async change(seen, change, ...rest) {
        const before = stateBefore(seen);
        const changed = await proposals.change(seen, change, ...rest);
        const { kind, state } = changed.proposal;
        if (changed.outcome !== 'moved' || before?.state === state) return changed;
        moves.add(1, { kind, state });
        if (before !== undefined) {
          const attributes: Attributes = { kind, state: before.state, next: state };
          stayed.record(Math.max(0, clock.now() - before.since) / 1000, attributes);
        }
        return changed;
      },
    },
    orders: {
      ...orders,
      async claim(...args) {
        const outcome = await orders.claim(...args);
        count(outcome);
        return outcome;
      },
      place: counting('placed', orders.place),
      reject: counting('rejected', orders.reject),
      doubt: counting('unknown', orders.doubt),
      async refuse(...args) {
        const outcome = await orders.refuse(...args);
        if (outcome === 'rejected') count(outcome);
        return outcome;
      },
    },
  };
}

/** The kernel passes the whole proposal. */
function stateBefore(seen: object): { readonly state: string; readonly since: number } | undefined {
  const { state, updatedAt } = seen as { state?: unknown; updatedAt?: unknown };
  return typeof state === 'string' && typeof updatedAt === 'number' ? { state, since: updatedAt } : undefined;
}
