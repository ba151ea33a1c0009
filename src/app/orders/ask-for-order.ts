import { randomBytes } from 'node:crypto';
import type { ApprovalMode } from '../../agent/agent.ts';
import type { ApprovalView, RunStatus } from '../../agent/events.ts';
import { refusalOf, rejectionOf } from '../../agent/graph/proposal-refusal.ts';
import { approvalView, cameOf, describeProposal } from '../../agent/graph/proposal-view.ts';
import { type ErrorObject, errorObject } from '../../errors/error-object.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { followProposal } from '../../tools/gateway/follow-proposal.ts';
import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import { proposeSurely } from '../../tools/gateway/propose-surely.ts';
import { watchFill } from '../../tools/gateway/watch-fill.ts';
import {
  askedUnder,
  idempotencyKeySchema,
  isUnderWayState,
  type Proposal,
  type ProposalRequestInput,
} from '../../trading/proposal.ts';
import type { Order } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import type { Asking } from '../approvals/ask-and-wait.ts';

/** How an order is asked for without a model. */
export interface AskSettings {
  readonly approval: ApprovalMode;
  /** The same with the same order is the same proposal, whatever became of it. */
  readonly key?: string;
}

/** What became of an order that was asked for: `order … --output json`, less its schema. */
export interface OrderOutcome {
  readonly status: RunStatus;
  /** By which the same can be asked for again without becoming two; null where nothing was proposed. */
  readonly key: string | null;
  readonly approval: ApprovalView | null;
  /** At the broker, once it is there. */
  readonly order: Order | null;
  readonly error?: ErrorObject;
}

/**
 * Asks for what flags said: the very proposal that a run makes, without a model or a planner.
 * @param asking how the person is shown what their phone is asked
 * @throws {TradeAgentError} where nothing was proposed: the refusal; `usage` for a key that stands for something else;
 *   `approval_denied` where nobody may be asked; `outcome_unknown` where the gateway does not say whether it has it
 */
export async function askForOrder(
  app: App,
  request: ProposalRequestInput,
  { approval, key = `cli-${randomBytes(16).toString('hex')}` }: AskSettings,
  asking: Asking,
): Promise<OrderOutcome> {
  if (!idempotencyKeySchema.safeParse(key).success) {
    throw new TradeAgentError('usage', "--key can't be that", {
      hint: 'Up to 64 letters, digits and . _ -: rebalance-2026-11-26-AAPL.',
    });
  }
  const neverAsks = askedUnder(request)?.approval === 'mandate';
  if (approval === 'deny' || (approval === 'mandate' && !neverAsks)) throw mayNotAsk(approval);
  const gateway = await app.gateway();
  const proposal = await proposeSurely(gateway, request, key, {
    ...{ clock: app.clock, signal: app.signal },
    notice: (message) => asking.notice(message),
    unanswered: (cause) => unanswered(key, cause),
  }).catch((error: unknown) => explainKey(gateway, key, error));
  asking.changed(approvalView(proposal, ''));
  if (approval === 'detach' && !isOver(proposal)) return outcome(key, proposal);
  return await followToItsEnd(app, gateway, { key, proposal }, asking);
}

async function followToItsEnd(
  app: App,
  gateway: GatewayClient,
  { key, proposal }: { readonly key: string; readonly proposal: Proposal },
  asking: Asking,
): Promise<OrderOutcome> {
  const { clock, signal } = app;
  let seen = proposal;
  const changed = (next: Proposal) => {
    seen = next;
    asking.changed(approvalView(next, ''));
  };
  const notice = (message: string) => asking.notice(message);
  try {
    seen = await followProposal(gateway, proposal, { clock, signal, changed, notice });
    seen = await watchFill(gateway, seen, { clock, signal, changed });
    return outcome(key, seen);
  } catch (error) {
    if (!signal.aborted) throw error;
    // Stopped from here: what is proposed stays so.
    return { ...outcome(key, seen), error: errorObject(signal.reason) };
  }
}

/** What a proposal has come to, as a run would say it. */
function outcome(key: string, proposal: Proposal): OrderOutcome {
  const order = cameOf(proposal).placed ?? null;
  const approval = approvalView(proposal, '');
  if (!isOver(proposal)) {
    const status = isUnderWayState(proposal.state) && proposal.state !== 'approved' ? 'unknown' : 'pending';
    return { status, key, approval, order };
  }
  if (proposal.state === 'executed' && order?.status !== 'rejected') {
    return { status: 'done', key, approval, order };
  }
  const error = errorObject(proposal.state === 'executed' ? rejectionOf(proposal) : refusalOf(proposal));
  return { status: statusOf(proposal), key, approval, order, error };
}

function isOver({ state }: Proposal): boolean {
  return ['executed', 'denied', 'expired', 'cancelled', 'blocked', 'unknown'].includes(state);
}

function statusOf({ state }: Proposal): RunStatus {
  switch (state) {
    case 'denied':
    case 'expired':
    case 'blocked':
    case 'unknown':
      return state;
    case 'cancelled':
      return 'denied';
    default:
      return 'failed';
  }
}

export function mayNotAsk(approval: ApprovalMode): TradeAgentError {
  return new TradeAgentError('approval_denied', 'this command may not ask for approvals', {
    hint:
      approval === 'mandate'
        ? 'Nothing was proposed. No mandate covers this; run it again with --approval wait or detach.'
        : 'Nothing was proposed. Run it again with --approval wait or detach.',
  });
}

/** @throws what the key stands for already, in the place of the gateway's conflict; any other error as it is */
async function explainKey(gateway: GatewayClient, key: string, error: unknown): Promise<never> {
  if (!isTradeAgentError(error) || error.details.problem !== 'idempotency_key_conflict') throw error;
  const first = await gateway.proposed(key).catch(() => undefined);
  const what = first === undefined ? 'something else' : `${describeProposal(first)} (${first.id})`;
  throw new TradeAgentError('usage', `the key "${key}" stands for another order: ${what}`, {
    hint: 'Nothing was proposed. Give each order a key of its own; the same key asks for the same order again.',
    details: error.details,
    cause: error,
  });
}

function unanswered(key: string, cause: unknown): TradeAgentError {
  return new TradeAgentError('outcome_unknown', 'the gateway did not say whether it has the proposal', {
    hint: `Run the same command again with --key ${key}: it goes on with that very proposal. Do not ask for the order otherwise before that.`,
    ...defined({ cause }),
  });
}
