import { Command, isGraphInterrupt } from '@langchain/langgraph';
import { findTool } from '../tools/catalog.ts';
import type { GatewayClient } from '../tools/gateway-client.ts';
import { readOrderRequest } from '../tools/place-order.ts';
import { TradeAgentError } from '../trading/errors.ts';
import { failpoint } from '../trading/failpoint.ts';
import type { OrderStateValue } from './agent-state.ts';
import { requestApproval } from './approval-request.ts';
import type { Approval } from './approval-store.ts';
import type { SubjectDraft } from './approval-subject.ts';
import { withConnection } from './awaited-connection.ts';
import { clientOrderId } from './client-order-id.ts';
import type { GraphEnvironment } from './graph-environment.ts';
import { draftMessage } from './message-proposal.ts';
import { failed, settled } from './order-result.ts';
import { draftOrder } from './proposal.ts';
import { readOnlyRun } from './tool-node.ts';
import { asTradeAgentError } from './tool-outcome.ts';

/** Completes what was asked for to what the person will approve. Changes nothing anywhere. */
export type Complete = (
  environment: GraphEnvironment,
  gateway: GatewayClient,
  state: OrderStateValue,
) => Promise<SubjectDraft>;

export const completeOrder: Complete = async (environment, gateway, { call, attempt }) => {
  if (environment.halted()) {
    throw new TradeAgentError('blocked', 'this session is halted: it proposes no orders', {
      hint: 'Start trade-agent anew to trade again.',
    });
  }
  const { profile, thread, clock } = environment;
  return draftOrder(readOrderRequest(call.args), gateway, {
    profile,
    clientOrderId: clientOrderId(thread, call.id, attempt),
    now: clock.now(),
  });
};

export const completeMessage: Complete = async (environment, gateway, { call, attempt }) => {
  const tool = findTool(call.name);
  if (tool?.risk !== 'send') throw new TypeError('not a tool that sends');
  const { profile, thread, clock } = environment;
  return draftMessage(tool, call.args, gateway, {
    clientMessageId: clientOrderId(thread, call.id, attempt),
    now: clock.now(),
    ttlSeconds: profile.approval_ttl,
  });
};

/** Writes the approval's row (`drafted`). Run again, it finds the row and changes nothing. */
export function proposeNode(environment: GraphEnvironment, complete: Complete) {
  const { approvals, thread, profile, session, clock } = environment;
  return async (state: OrderStateValue): Promise<Command> => {
    const { call, attempt, prompt } = state;
    const key = { thread, toolCallId: call.id, attempt };
    try {
      const earlier = approvals.find(key);
      if (earlier !== undefined) return new Command({ goto: 'request', update: { approval: earlier.id } });
      if (attempt === 1 && !environment.callsStarted.has(call.id)) {
        environment.callsStarted.set(call.id, clock.now());
        environment.emit({ type: 'tool_call', id: call.id, name: call.name, args: call.args });
      }
      if (environment.readOnly) throw readOnlyRun();
      if (session === undefined || environment.gateway === undefined) {
        throw new TradeAgentError('login_required', 'nobody is signed in', {
          hint: 'Sign in with "trade-agent login".',
        });
      }
      const { gateway } = environment;
      const draft = await withConnection(() => complete(environment, gateway, state));
      failpoint('propose.priced');
      const approval = approvals.draft(
        { ...key, prompt, profile: profile.name, sub: session.user.sub },
        draft,
        environment.requireLease,
      );
      failpoint('propose.written');
      environment.changed(approval);
      return new Command({ goto: 'request', update: { approval: approval.id } });
    } catch (error) {
      if (isGraphInterrupt(error)) throw error;
      const failure = asTradeAgentError(error);
      // A row written before the failure (no room for the audit log, say) is for nobody to decide: it must not stand
      // open for ever, and keep the thread from going on.
      const drafted = approvals.find(key);
      if (drafted !== undefined) {
        const { code, message } = failure;
        approvals.move(
          drafted.id,
          'cancelled',
          { reason: { code, text: `you could not be asked: ${message}` } },
          { from: 'drafted' },
        );
      }
      return failed(environment, state, failure);
    }
  };
}

/** Asks the person, unless the row says they were asked already. */
export function requestNode(environment: GraphEnvironment) {
  const { approvals, changed } = environment;
  return async (state: OrderStateValue): Promise<Command> => {
    try {
      if (environment.approvalMode === 'deny') {
        return settled(environment, state, takeBack(environment, state.approval));
      }
      const approval = await requestApproval(environment, state.approval);
      if (approval.status === 'expired' || approval.status === 'cancelled') {
        return settled(environment, state, approval);
      }
      return new Command({ goto: 'await' });
    } catch (error) {
      if (environment.signal.aborted) throw error;
      const { code, message } = asTradeAgentError(error);
      const move = approvals.move(
        state.approval,
        'cancelled',
        {
          reason: { code, text: `you could not be asked: ${message}` },
        },
        { from: 'drafted' },
      );
      if (!move.moved) return new Command({ goto: 'await' });
      changed(move.approval);
      return settled(environment, state, move.approval);
    }
  };
}

/** Ends an approval in a run that may not ask for any. Returns it as it is then. */
export function takeBack({ approvals, changed }: GraphEnvironment, id: string): Approval {
  const move = approvals.move(id, 'cancelled', {
    reason: { code: 'approval_denied', text: 'this run may not ask for approvals' },
  });
  if (move.moved) changed(move.approval);
  return move.approval;
}
