import { isTradeAgentError, type TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import { failpoint } from '../../machine/failpoint.ts';
import type { Proposal, ProposalRequestInput } from '../../trading/proposal.ts';
import type { GatewayClient } from './gateway-client.ts';

const BACKOFF_MS = [1_000, 2_000, 4_000] as const;

export interface ProposeOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly notice: (message: string) => void;
  readonly before?: () => Promise<void>;
  /** Returns the error to throw if the gateway may have received the proposal but did not confirm it. */
  readonly unanswered: (cause?: unknown) => TradeAgentError;
}

/**
 * Makes a proposal with retries under one idempotency key, so that only one proposal results.
 * @throws {TradeAgentError} the gateway's refusal; `unanswered` if the gateway may have received the proposal
 */
export async function proposeWithRetries(
  gateway: Pick<GatewayClient, 'propose'>,
  request: ProposalRequestInput,
  key: string,
  options: ProposeOptions,
): Promise<Proposal> {
  const { clock, signal, notice, unanswered } = options;
  let mayBeThere = false;
  const failure = (error: unknown) => (mayBeThere ? unanswered() : error);
  for (const wait of [...BACKOFF_MS, undefined]) {
    const answer = await proposeOnce(gateway, request, key, options);
    if (!isTradeAgentError(answer)) return answer;
    // A refusal proves that there is no proposal, because the gateway looks up existing proposals before it refuses.
    // The only exception is a caller who is not authenticated.
    if (!isOutcomeUnknown(answer)) throw isGatewayProblem(answer) ? answer : failure(answer);
    mayBeThere ||= answer.details.sent !== false && answer.code !== 'provider_unreachable';
    if (wait === undefined) throw failure(answer);
    if (wait === BACKOFF_MS[0]) notice('The gateway cannot be reached; trying again.');
    await clock.sleep(wait, signal).catch(() => {
      throw failure(signal.reason);
    });
  }
  throw unanswered();
}

async function proposeOnce(
  gateway: Pick<GatewayClient, 'propose'>,
  request: ProposalRequestInput,
  key: string,
  { signal, before, unanswered }: ProposeOptions,
): Promise<Proposal | TradeAgentError> {
  try {
    signal.throwIfAborted();
    await before?.();
    failpoint('propose.before_call');
    const proposal = await gateway.propose(request, key);
    failpoint('propose.answered');
    return proposal;
  } catch (error) {
    // An unexpected error says nothing about whether the proposal was sent.
    if (!isTradeAgentError(error)) throw unanswered(error);
    return error;
  }
}

function isOutcomeUnknown({ code, details }: TradeAgentError): boolean {
  if (['gateway_unreachable', 'provider_unreachable'].includes(code)) return true;
  return details.status === 500 || details.problem === 'malformed_response';
}

function isGatewayProblem({ code, details }: TradeAgentError): boolean {
  return details.problem !== undefined && !['login_required', 'insufficient_scope'].includes(code);
}
