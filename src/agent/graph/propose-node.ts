import { createHash } from 'node:crypto';
import { Command, isGraphInterrupt } from '@langchain/langgraph';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { loginRequiredError } from '../../errors/login-required.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { findTool } from '../../tools/catalog.ts';
import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import { proposeWithRetries } from '../../tools/gateway/propose-with-retries.ts';
import type { DirectTool } from '../../tools/tool.ts';
import { mandateReference, type Proposal, type ProposalRequestInput } from '../../trading/proposal.ts';
import { defined } from '../../values/defined.ts';
import type { ProposalGraphValue } from './agent-state.ts';
import { runOnceConnected } from './awaited-connection.ts';
import { draftRequest } from './dry-run.ts';
import { toTradeAgentError } from './error-facts.ts';
import type { GraphEnvironment } from './graph-environment.ts';
import { requireProposalQuota } from './proposal-quota.ts';
import { createProposalRequest } from './proposal-request.ts';
import { createDraftCommand, createFailureCommand, createSuccessCommand } from './proposal-result.ts';
import { emitToolCall, parseToolArguments, readOnlyError } from './tool-node.ts';

/**
 * Returns the node that turns a call into a complete request, or executes the call if it needs no approval. The node
 * does not send proposals.
 */
export function createDraftNode(environment: GraphEnvironment) {
  return async (state: ProposalGraphValue): Promise<Command> => {
    if (state.attempt === 1) emitToolCall(environment, state.call);
    try {
      return await draftProposal(environment, state);
    } catch (error) {
      if (isGraphInterrupt(error)) throw error;
      return createFailureCommand(environment, state, toTradeAgentError(error));
    }
  };
}

async function draftProposal(environment: GraphEnvironment, state: ProposalGraphValue): Promise<Command> {
  if (environment.readOnly) throw readOnlyError();
  const tool = findTool(state.call.name);
  const gateway = requireSignedIn(environment.gateway);
  if (tool?.risk === 'reduce' && environment.dryRun) parseToolArguments(tool, state.call);
  else if (tool?.risk === 'reduce') {
    const ended = await runOnceConnected(() => executeWithoutApproval(environment, state, tool));
    if (ended !== undefined) return ended;
  }
  if (isApprovalDisabled(environment, tool?.risk === 'trade')) throw approvalDisabled();
  if (state.attempt === 1) requireProposalQuota(state.asks);
  const drafted = await runOnceConnected(() => createProposalRequest(environment, gateway, tool, state));
  if (!environment.dryRun) return new Command({ goto: 'propose', update: { drafted } });
  const neverAsks = mandateReference(drafted)?.approval === 'mandate';
  if (isApprovalDisabled(environment, neverAsks)) throw approvalDisabled();
  return createDraftCommand(environment, state, await draftRequest(environment, gateway, state.call.name, drafted));
}

/**
 * Returns the node that sends the request to the gateway, which asks the person. If the request is sent again, after a
 * lost response or in another process, the result is the same proposal. The idempotency key derives from the call, and
 * the checkpoint already contains the request.
 */
export function createProposeNode(environment: GraphEnvironment) {
  const { thread } = environment;
  return async (state: ProposalGraphValue): Promise<Command> => {
    const { call, attempt, prompt, drafted: request } = state;
    let proposal: Proposal | undefined;
    try {
      if (isApprovalDisabled(environment, mandateReference(request)?.approval === 'mandate')) throw approvalDisabled();
      const gateway = requireSignedIn(environment.proposing);
      proposal = await runOnceConnected(() =>
        environment.track(sendProposal(environment, gateway, request, deriveProposalKey(thread, call.id, attempt))),
      );
      await environment.saw({ thread, prompt, toolCallId: call.id, attempt, proposal });
      failpoint('propose.noted');
      return new Command({ goto: 'await', update: { proposed: proposal.id } });
    } catch (error) {
      // The run stops here, and a resume continues with the same proposal. Therefore, the model does not get this error
      // as the call's result.
      const isStopped = environment.signal.aborted || (isTradeAgentError(error) && error.code === 'busy');
      if (isGraphInterrupt(error) || isUnconfirmed(error) || isStopped || proposal !== undefined) throw error;
      return createFailureCommand(environment, state, toTradeAgentError(error));
    }
  };
}

/**
 * Sends a proposal. @throws {TradeAgentError} a refusal; {@link unconfirmedError} if the proposal may have arrived
 */
function sendProposal(
  { clock, signal, emit, requireLease, thread }: GraphEnvironment,
  gateway: GatewayClient,
  request: ProposalRequestInput,
  key: string,
): Promise<Proposal> {
  return proposeWithRetries(gateway, request, key, {
    clock,
    signal,
    notice: (message) => emit({ type: 'notice', message }),
    before: requireLease,
    unanswered: (cause) => unconfirmedError(thread, cause),
  });
}

const UNCONFIRMED = 'the gateway did not confirm that it received the proposal';

function unconfirmedError(thread: string, cause?: unknown): TradeAgentError {
  return new TradeAgentError('outcome_unknown', UNCONFIRMED, {
    hint: `Run "trade-agent resume ${thread}" to continue with the same proposal. Do not ask for the order again until then.`,
    ...defined({ cause }),
  });
}

function isUnconfirmed(error: unknown): boolean {
  return isTradeAgentError(error) && error.code === 'outcome_unknown' && error.message === UNCONFIRMED;
}

/**
 * Cancels an order directly if no approval is required. Approval is always required if the conversation contains text
 * from outside sources.
 * @returns undefined if the person must be asked
 */
async function executeWithoutApproval(
  environment: GraphEnvironment,
  state: ProposalGraphValue,
  tool: DirectTool,
): Promise<Command | undefined> {
  const { session, gateway } = environment;
  const args = parseToolArguments(tool, state.call);
  if (state.tainted.length > 0) return undefined;
  try {
    return createSuccessCommand(environment, state, await tool.execute({ session, gateway }, args));
  } catch (error) {
    if (isTradeAgentError(error) && error.details.problem === 'approval_required') return undefined;
    throw error;
  }
}

/** Returns whether proposals that need approval are disabled. @param neverAsks whether the order needs a mandate */
function isApprovalDisabled({ approvalMode }: GraphEnvironment, neverAsks: boolean): boolean {
  return approvalMode === 'deny' || (approvalMode === 'mandate' && !neverAsks);
}

function approvalDisabled(): TradeAgentError {
  return new TradeAgentError('approval_denied', 'this run is not allowed to ask for approvals', {
    hint: 'Nothing was proposed. Run it again with --approval wait or detach.',
  });
}

function requireSignedIn(gateway: GatewayClient | undefined): GatewayClient {
  if (gateway !== undefined) return gateway;
  throw loginRequiredError();
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/**
 * Returns the `Idempotency-Key` of one attempt. The key is the same when the node runs again. A new attempt, which
 * makes a new proposal, gets another key. The key is `ta-` and 32 base-32 characters (160 bits) of SHA-256 over the
 * arguments as a JSON array, so that different arguments never have the same key.
 */
export function deriveProposalKey(thread: string, toolCallId: string, attempt: number): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([thread, toolCallId, attempt]))
    .digest();
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of digest) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5 && text.length < 32) {
      text += alphabet[(value >>> (bits - 5)) & 31];
      bits -= 5;
    }
    value &= 0xff;
  }
  return `ta-${text}`;
}
