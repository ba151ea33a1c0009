import { Command } from '@langchain/langgraph';
import type { GatewayClient, MessageOutcome } from '../tools/gateway-client.ts';
import { isTradeAgentError, TradeAgentError } from '../trading/errors.ts';
import type { OrderStateValue } from './agent-state.ts';
import { isSettled, isUnderWay } from './approval-states.ts';
import type { MessageApproval } from './approval-store.ts';
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
import type { GraphEnvironment } from './graph-environment.ts';
import { settled } from './order-result.ts';

const NOBODY_KNOWS = 'the gateway does not know the message yet';

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
  return async (state: OrderStateValue): Promise<Command> => {
    const before = environment.approvals.get(state.approval) as MessageApproval;
    if (isSettled(before.status)) return settled(environment, state, before);
    if (before.status === 'drafted' || before.status === 'requested') return new Command({ goto: 'await' });
    const after = await underLease(environment, before.id, (leased) =>
      isUnderWay(leased.status)
        ? settleMessage(environment, leased, { resend: true })
        : send(environment, leased),
    );
    return isSettled(after.status) ? settled(environment, state, after) : new Command({ goto: 'await' });
  };
}

async function send(environment: MessageEnvironment, approval: MessageApproval): Promise<MessageApproval> {
  const { approvals, clock } = environment;
  const gateway = requireOrderGateway(environment);
  const { draft, id, epoch } = approval;
  if (clock.now() >= Date.parse(draft.expires_at)) {
    const text = 'it was approved, but its time ran out before it could be sent';
    return ended(environment, approval, 'expired', 'approval_expired', text);
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
  const gateway = requireOrderGateway(environment);
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
    return becameUnknown(environment, current, error, NOBODY_KNOWS);
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
  if (now < deadline + GRACE_MS) return becameUnknown(environment, current, undefined, NOBODY_KNOWS);
  return ended(
    environment,
    current,
    'expired',
    'approval_expired',
    'it was never sent, and its time ran out',
  );
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
  return becameUnknown(environment, approval, cause, NOBODY_KNOWS);
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
    case 'refused':
      return refused(environment, approval, outcome.refusal);
    case 'unknowable':
      // An end, unlike an order's: nobody will ever know more, and nothing is sent again.
      return ended(
        environment,
        approval,
        'blocked',
        'outcome_unknown',
        `whether it was sent is not known; look there before you send it again`,
      );
  }
}

function notSent(
  environment: MessageEnvironment,
  approval: MessageApproval,
  why: TradeAgentError,
): MessageApproval {
  const after = neverLeft(environment, approval);
  const hint = why.hint === undefined ? '' : ` ${why.hint}`;
  environment.emit({ type: 'notice', message: `The approved message was not sent: ${why.message}.${hint}` });
  return after;
}
