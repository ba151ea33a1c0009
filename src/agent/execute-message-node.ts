import { Command } from '@langchain/langgraph';
import type { GatewayClient, MessageOutcome } from '../tools/gateway-client.ts';
import { isTradeAgentError, TradeAgentError } from '../trading/errors.ts';
import type { OrderStateValue } from './agent-state.ts';
import { isSettled, isUnderWay } from './approval-states.ts';
import type { MessageApproval } from './approval-store.ts';
import { ORDER_LEASE_MS } from './execute-node.ts';
import type { GraphEnvironment } from './graph-environment.ts';
import { settled } from './order-result.ts';

/** Waits before asking the gateway what became of a message, milliseconds. */
const LOOKUP_WAITS_MS = [500, 1_000, 2_000] as const;
/** As with orders: the gateway refuses a message past its deadline; the rest is for clocks that differ. */
const GRACE_MS = 60_000;

/** What sending a message, and asking about it, takes. */
export type MessageEnvironment = Pick<
  GraphEnvironment<MessageApproval>,
  'approvals' | 'changed' | 'clock' | 'emit' | 'orderGateway'
>;

/**
 * Sends an approved message, once at most. As an order: the intent is committed before the gateway hears of it, under
 * the approval's lease. What the service does not answer is never sent again: nobody could tell two messages from one.
 */
export function executeMessageNode(environment: GraphEnvironment<MessageApproval>) {
  const { approvals, holder, inTurn, signal, track } = environment;
  return async (state: OrderStateValue): Promise<Command> => {
    const before = approvals.get(state.approval) as MessageApproval;
    if (isSettled(before.status)) return settled(environment, state, before);
    if (before.status === 'drafted' || before.status === 'requested') return new Command({ goto: 'await' });
    const after = await inTurn(async () => {
      signal.throwIfAborted();
      const leased = approvals.lease(before.id, holder, ORDER_LEASE_MS);
      if (leased === undefined) {
        throw new TradeAgentError('busy', `another run is carrying out approval ${before.id}`, {
          hint: 'Wait for it to end.',
        });
      }
      try {
        // Read under the lease: another process may have finished it in between.
        if (isSettled(leased.status)) return leased;
        return await track(
          isUnderWay(leased.status)
            ? settleMessage(environment, leased, { resend: true })
            : send(environment, leased),
        );
      } finally {
        approvals.release(before.id, holder);
      }
    });
    return isSettled(after.status) ? settled(environment, state, after) : new Command({ goto: 'await' });
  };
}

async function send(environment: MessageEnvironment, approval: MessageApproval): Promise<MessageApproval> {
  const { approvals, clock } = environment;
  const gateway = requireGateway(environment);
  const { draft, id, epoch } = approval;
  if (clock.now() >= Date.parse(draft.expires_at)) {
    const text = 'it was approved, but its time ran out before it could be sent';
    return end(environment, approval, 'expired', 'approval_expired', text);
  }
  const token = approvals.token(id);
  if (token === undefined) throw new TradeAgentError('state_corrupt', `approval ${id} has lost its token`);
  const intent = approvals.move(id, 'executing', {}, { from: 'approved', epoch });
  if (!intent.moved) return intent.approval;
  environment.changed(intent.approval);
  return submit(environment, gateway, intent.approval, token);
}

/**
 * Asks the gateway what became of a message that was on its way. To be called under the approval's lease.
 * @param options `resend` hands it to the gateway again where that certainly has not sent it
 */
export async function settleMessage(
  environment: MessageEnvironment,
  approval: MessageApproval,
  options: { readonly resend: boolean },
): Promise<MessageApproval> {
  const { approvals, clock } = environment;
  const gateway = requireGateway(environment);
  const { draft, id, epoch } = approval;
  let current = approval;
  if (approval.status === 'unknown') {
    const taken = approvals.move(id, 'executing', {}, { from: 'unknown', epoch });
    if (!taken.moved) return taken.approval;
    current = taken.approval;
  }
  let outcome: MessageOutcome;
  try {
    outcome = await gateway.messageOutcome(draft.client_message_id);
  } catch (error) {
    return becameUnknown(environment, current, error);
  }
  if (outcome.status !== 'absent') return record(environment, current, outcome);
  const now = clock.now();
  const deadline = Date.parse(draft.expires_at);
  const token = approvals.token(id);
  if (now < deadline && token !== undefined && options.resend) {
    // The gateway never sent it, and takes it once under this id whatever is still on its way there.
    const again = approvals.move(id, 'executing', {}, { from: 'executing', epoch });
    if (!again.moved) return again.approval;
    environment.changed(again.approval);
    return submit(environment, gateway, again.approval, token);
  }
  if (now < deadline + GRACE_MS) return becameUnknown(environment, current, undefined);
  return end(environment, current, 'expired', 'approval_expired', 'it was never sent, and its time ran out');
}

async function submit(
  environment: MessageEnvironment,
  gateway: GatewayClient,
  approval: MessageApproval,
  token: string,
): Promise<MessageApproval> {
  try {
    const message = await gateway.sendMessage(approval.draft, token);
    return record(environment, approval, { status: 'sent', message });
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    // The gateway's own word, or no connection at all: the approval stands, and a resume tries again while it does.
    if (error.details.sent === false) return notSent(environment, approval, error);
    if (error.code !== 'outcome_unknown') {
      return record(environment, approval, { status: 'refused', refusal: error });
    }
    if (error.details.final === true) return record(environment, approval, { status: 'unknowable' });
    return lookUp(environment, gateway, approval, error);
  }
}

/** After a lost answer of the gateway's: it knows what it did. */
async function lookUp(
  environment: MessageEnvironment,
  gateway: GatewayClient,
  approval: MessageApproval,
  cause: unknown,
): Promise<MessageApproval> {
  for (const wait of LOOKUP_WAITS_MS) {
    try {
      await environment.clock.sleep(wait);
      const outcome = await gateway.messageOutcome(approval.draft.client_message_id);
      if (outcome.status !== 'absent') return record(environment, approval, outcome);
    } catch (error) {
      if (!isTradeAgentError(error)) throw error;
      // Asked again below, and by the next resume.
    }
  }
  return becameUnknown(environment, approval, cause);
}

function record(
  environment: MessageEnvironment,
  approval: MessageApproval,
  outcome: Exclude<MessageOutcome, { status: 'absent' }>,
): MessageApproval {
  const { approvals, changed } = environment;
  switch (outcome.status) {
    case 'sent': {
      const { epoch } = approval;
      const move = approvals.move(approval.id, 'executed', { sent: outcome.message }, { epoch });
      if (move.moved) changed(move.approval);
      return move.approval;
    }
    case 'refused': {
      const { refusal } = outcome;
      const expired = refusal.code === 'approval_expired';
      // "Login required" would send the person to sign in again, but it is the approval that was not accepted.
      const code = refusal.code === 'login_required' ? 'gateway_refused' : refusal.code;
      return end(environment, approval, expired ? 'expired' : 'blocked', code, refusal.message);
    }
    case 'unknowable':
      // An end, unlike an order's: nobody will ever know more, and nothing is sent again.
      return end(
        environment,
        approval,
        'blocked',
        'outcome_unknown',
        `whether it was sent is not known; look there before you send it again`,
      );
  }
}

function end(
  { approvals, changed }: MessageEnvironment,
  approval: MessageApproval,
  to: 'expired' | 'blocked',
  code: TradeAgentError['code'],
  text: string,
): MessageApproval {
  const { epoch } = approval;
  const move = approvals.move(approval.id, to, { reason: { code, text } }, { epoch });
  if (move.moved) changed(move.approval);
  return move.approval;
}

function notSent(
  { approvals, changed, emit }: MessageEnvironment,
  approval: MessageApproval,
  why: TradeAgentError,
): MessageApproval {
  const move = approvals.move(approval.id, 'approved', {}, { from: 'executing', epoch: approval.epoch });
  if (move.moved) changed(move.approval);
  const hint = why.hint === undefined ? '' : ` ${why.hint}`;
  emit({ type: 'notice', message: `The approved message was not sent: ${why.message}.${hint}` });
  return move.approval;
}

function becameUnknown(
  { approvals, changed }: MessageEnvironment,
  approval: MessageApproval,
  cause: unknown,
): MessageApproval {
  const text = isTradeAgentError(cause) ? cause.message : 'the gateway does not know the message yet';
  const { epoch } = approval;
  const move = approvals.move(
    approval.id,
    'unknown',
    { reason: { code: 'outcome_unknown', text } },
    { epoch },
  );
  if (move.moved) changed(move.approval);
  return move.approval;
}

function requireGateway({ orderGateway }: MessageEnvironment): GatewayClient {
  if (orderGateway !== undefined) return orderGateway;
  throw new TradeAgentError('login_required', 'nobody is signed in', {
    hint: 'Sign in with "trade-agent login".',
  });
}
