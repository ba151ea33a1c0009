import { Command } from '@langchain/langgraph';
import type { GatewayClient, OrderOutcome } from '../tools/gateway-client.ts';
import { isTradeAgentError, TradeAgentError } from '../trading/errors.ts';
import { failpoint } from '../trading/failpoint.ts';
import type { Order, Quote } from '../trading/views.ts';
import { isFinal } from '../trading/views.ts';
import type { OrderStateValue } from './agent-state.ts';
import { isSettled, isUnderWay } from './approval-states.ts';
import { type OrderApproval as Approval, approvalView } from './approval-store.ts';
import {
  becameUnknown,
  ended,
  GRACE_MS,
  LOOKUP_WAITS_MS,
  neverLeft,
  refused,
  requireOrderGateway,
  underLease,
} from './carry-out.ts';
import type { GraphEnvironment as AnyEnvironment } from './graph-environment.ts';
import { settled } from './order-result.ts';
import { hasDrifted } from './proposal.ts';

/** The first attempt and two re-proposals after the price moved. */
const MAX_ATTEMPTS = 3;
/** How long to watch an order that should fill at once, milliseconds. */
const FILL_WAITS_MS = [100, 200, 400, 800, 1_500] as const;

type GraphEnvironment = AnyEnvironment<Approval>;

const NOBODY_KNOWS = 'neither gateway nor broker knows the order yet';

/** What sending an order, and asking about it, takes. */
export type OrderEnvironment = Pick<
  GraphEnvironment,
  'approvals' | 'changed' | 'clock' | 'emit' | 'orderGateway'
>;

/**
 * Carries out an approved order, once. The intent (`executing`) is committed before the gateway hears of it, under a
 * lease whose epoch rises, so that a process which lost the lease can't write its result over another's.
 */
export function executeNode(environment: GraphEnvironment) {
  return async (state: OrderStateValue): Promise<Command> => {
    const before = environment.approvals.get(state.approval) as Approval;
    if (isSettled(before.status)) return proceed(environment, state, before);
    if (before.status === 'drafted' || before.status === 'requested') return new Command({ goto: 'await' });
    const after = await underLease(environment, before.id, (leased) =>
      isUnderWay(leased.status)
        ? settleOrder(environment, leased, { resend: !environment.halted() })
        : send(environment, leased),
    );
    return proceed(environment, state, after);
  };
}

/** From a row's state to the graph's next step. */
async function proceed(
  environment: GraphEnvironment,
  state: OrderStateValue,
  approval: Approval,
): Promise<Command> {
  if (!isSettled(approval.status)) return new Command({ goto: 'await' });
  if (
    approval.reasonCode === 'price_moved' &&
    state.attempt < MAX_ATTEMPTS &&
    environment.approvalMode !== 'deny'
  ) {
    environment.emit({
      type: 'notice',
      message: `The price of ${approval.draft.symbol} moved too far from ${approval.draft.reference_price}. Asking again at the new price.`,
    });
    return new Command({ goto: 'propose', update: { attempt: state.attempt + 1 } });
  }
  if (approval.status !== 'executed' || approval.placed === undefined)
    return settled(environment, state, approval);
  const followed = await followFill(environment, approval, approval.placed);
  return settled(environment, state, followed);
}

async function send(
  environment: OrderEnvironment & Pick<GraphEnvironment, 'halted'>,
  approval: Approval,
): Promise<Approval> {
  const { approvals, clock, changed, emit } = environment;
  const gateway = requireOrderGateway(environment);
  const { draft, id, epoch } = approval;
  const end = (to: 'expired' | 'blocked' | 'cancelled', code: TradeAgentError['code'], text: string) =>
    ended(environment, approval, to, code, text);
  if (clock.now() >= Date.parse(draft.expires_at)) {
    return end(
      'expired',
      'approval_expired',
      'it was approved, but its time ran out before it could be sent',
    );
  }
  let quote: Quote;
  try {
    quote = (await gateway.quotes([draft.symbol]))[0] as Quote;
  } catch (error) {
    // Nothing was sent: the approval stays as it is, and a resume tries again while it holds.
    emit({ type: 'notice', message: `The approved order was not sent: ${whyNot(error)}` });
    return approval;
  }
  if (hasDrifted(draft, quote)) {
    return end(
      'blocked',
      'price_moved',
      `the price moved more than ${draft.max_slippage} from ${draft.reference_price}`,
    );
  }
  // Last, so that a halt during all this counts too.
  if (environment.halted()) return end('cancelled', 'blocked', 'this session was halted before it was sent');
  const token = approvals.token(id);
  if (token === undefined) throw new TradeAgentError('state_corrupt', `approval ${id} has lost its token`);
  const intent = approvals.move(id, 'executing', {}, { from: 'approved', epoch });
  if (!intent.moved) return intent.approval;
  failpoint('execute.intent');
  changed(intent.approval);
  return submit(environment, gateway, intent.approval, token, 'first');
}

/**
 * Asks what became of an order that was on its way, before anything else is done about it. To be called under the
 * approval's lease.
 * @param options `resend` sends an order again that nobody knows and whose time has not run out
 */
export async function settleOrder(
  environment: OrderEnvironment,
  approval: Approval,
  options: { readonly resend: boolean },
): Promise<Approval> {
  const { approvals, clock, changed } = environment;
  const gateway = requireOrderGateway(environment);
  const { draft, id, epoch } = approval;
  let current = approval;
  if (approval.status === 'unknown') {
    const taken = approvals.move(id, 'executing', {}, { from: 'unknown', epoch });
    if (!taken.moved) return taken.approval;
    current = taken.approval;
  }
  failpoint('settle.taken');
  let outcome: OrderOutcome | undefined;
  let doubt: TradeAgentError | undefined;
  try {
    outcome = await gateway.outcome(draft.client_order_id);
  } catch (error) {
    // "I have it, and don't know": the gateway submits what may never have gone out only for a request that shows the
    // approval again. Any other failure says nothing.
    if (!isTradeAgentError(error) || error.code !== 'outcome_unknown') {
      return becameUnknown(environment, current, error, NOBODY_KNOWS);
    }
    doubt = error;
  }
  failpoint('settle.asked');
  if (outcome?.status === 'placed') return executed(environment, current, outcome.order);
  if (outcome?.status === 'refused') return refused(environment, current, outcome.refusal);
  const now = clock.now();
  const deadline = Date.parse(draft.expires_at);
  if (now < deadline) {
    // Sending it again is safe: the gateway keeps the first result under this client_order_id and this digest, and
    // the broker takes a client_order_id once.
    const token = approvals.token(id);
    if (token !== undefined && options.resend) {
      const again = approvals.move(id, 'executing', {}, { from: 'executing', epoch });
      if (!again.moved) return again.approval;
      changed(again.approval);
      failpoint('settle.before_resend');
      return submit(environment, gateway, again.approval, token, 'again');
    }
  }
  // As long as the gateway has it open, no clock of ours may close it.
  if (doubt !== undefined || now < deadline + GRACE_MS) {
    return becameUnknown(environment, current, doubt, NOBODY_KNOWS);
  }
  return ended(
    environment,
    current,
    'expired',
    'approval_expired',
    'the order never reached the broker, and its time ran out',
  );
}

async function submit(
  environment: OrderEnvironment,
  gateway: GatewayClient,
  approval: Approval,
  token: string,
  time: 'first' | 'again',
): Promise<Approval> {
  try {
    const sending = gateway.placeOrder(approval.draft, token);
    failpoint('execute.sent');
    const { order } = await sending;
    failpoint('execute.answered');
    return executed(environment, approval, order);
  } catch (error) {
    const refusal = isTradeAgentError(error) && error.code !== 'outcome_unknown' ? error : undefined;
    if (refusal === undefined) return lookUp(environment, gateway, approval, error);
    if (refusal.details.sent === false) {
      return time === 'first'
        ? notSent(environment, approval, refusal)
        : becameUnknown(environment, approval, refusal, NOBODY_KNOWS);
    }
    // A refusal of the second sending says nothing of the first, unless the gateway had said it before.
    if (time === 'again' && refusal.details.replayed !== true) {
      return becameUnknown(environment, approval, refusal, NOBODY_KNOWS);
    }
    return refused(environment, approval, refusal);
  }
}

function notSent(environment: OrderEnvironment, approval: Approval, why: TradeAgentError): Approval {
  const after = neverLeft(environment, approval);
  environment.emit({ type: 'notice', message: `The approved order was not sent: ${whyNot(why)}` });
  return after;
}

/** What went wrong, and what connects the account where that is what is missing. */
function whyNot(error: unknown): string {
  if (!isTradeAgentError(error)) return 'the price cannot be read.';
  const { code, message, hint } = error;
  return code === 'connection_required' && hint !== undefined ? `${message}. ${hint}` : `${message}.`;
}

/** After a time-out: the order may be at the broker. */
async function lookUp(
  environment: OrderEnvironment,
  gateway: GatewayClient,
  approval: Approval,
  cause: unknown,
): Promise<Approval> {
  for (const wait of LOOKUP_WAITS_MS) {
    try {
      await environment.clock.sleep(wait);
      const outcome = await gateway.outcome(approval.draft.client_order_id);
      if (outcome.status === 'placed') return executed(environment, approval, outcome.order);
      if (outcome.status === 'refused') return refused(environment, approval, outcome.refusal);
    } catch (error) {
      if (!isTradeAgentError(error)) throw error;
      // Asked again below, and by the next resume.
    }
  }
  return becameUnknown(environment, approval, cause, NOBODY_KNOWS);
}

function executed(
  { approvals, changed, emit }: OrderEnvironment,
  approval: Approval,
  placed: Order,
): Approval {
  const move = approvals.move(approval.id, 'executed', { placed }, { epoch: approval.epoch });
  failpoint('execute.recorded');
  if (move.moved) {
    changed(move.approval);
    failpoint('execute.audited');
    emit({ type: 'order', order: placed, approval: approval.id });
  }
  return move.approval;
}

/** Watches a market order for a moment, so that the answer can tell its price. Nothing hangs on it. */
async function followFill(
  environment: GraphEnvironment,
  approval: Approval,
  placed: Order,
): Promise<Approval> {
  const { approvals, clock, emit, signal } = environment;
  const gateway = environment.gateway;
  let current = approval;
  let order = placed;
  if (placed.type !== 'market' || gateway === undefined) return current;
  for (const wait of FILL_WAITS_MS) {
    if (isFinal(order.status) || signal.aborted) break;
    try {
      await clock.sleep(wait, signal);
      const next = await gateway.order(order.id);
      if (JSON.stringify(next) === JSON.stringify(order)) continue;
      order = next;
      current = approvals.updatePlaced(approval.id, order);
      emit({ type: 'order', order, approval: approval.id });
      emit({ type: 'approval', approval: approvalView(current) });
    } catch {
      break;
    }
  }
  return current;
}
