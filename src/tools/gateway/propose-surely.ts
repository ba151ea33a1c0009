import { isTradeAgentError, type TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import { failpoint } from '../../machine/failpoint.ts';
import type { Proposal, ProposalRequestInput } from '../../trading/proposal.ts';
import type { GatewayClient } from './gateway-client.ts';

/** Short, because somebody is watching. */
const BACKOFF_MS = [1_000, 2_000, 4_000] as const;

export interface Proposing {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Receives messages for the person. */
  readonly notice: (message: string) => void;
  /** Called before each try; may throw to end it. */
  readonly before?: () => Promise<void>;
  /** The error if the gateway may have the proposal without having said so. */
  readonly unanswered: (cause?: unknown) => TradeAgentError;
}

/**
 * Proposes, with retries under one key, so that it stays one proposal.
 * @throws {TradeAgentError} the gateway's refusal; `unanswered` if it may have the proposal
 */
export async function proposeSurely(
  gateway: Pick<GatewayClient, 'propose'>,
  request: ProposalRequestInput,
  key: string,
  { clock, signal, notice, before, unanswered }: Proposing,
): Promise<Proposal> {
  let mayBeThere = false;
  for (const wait of [...BACKOFF_MS, undefined]) {
    try {
      signal.throwIfAborted();
      await before?.();
      failpoint('propose.before_call');
      const proposal = await gateway.propose(request, key);
      failpoint('propose.answered');
      return proposal;
    } catch (error) {
      // An unexpected error says nothing about whether it was sent.
      if (!isTradeAgentError(error)) throw unanswered(error);
      const { code, details } = error;
      // The gateway looks up existing proposals before it refuses, except for unauthenticated callers.
      if (!isSilent(error)) throw mayBeThere && !isOfTheGateway(error) ? unanswered() : error;
      if (details.sent !== false && code !== 'provider_unreachable') mayBeThere = true;
      if (wait === undefined) throw mayBeThere ? unanswered() : error;
      if (wait === BACKOFF_MS[0]) notice('The gateway cannot be reached; trying again to propose it.');
      await clock.sleep(wait, signal).catch(() => {
        throw mayBeThere ? unanswered() : signal.reason;
      });
    }
  }
  throw unanswered();
}

/** Whether the outcome of the request is unknown. */
function isSilent({ code, details }: TradeAgentError): boolean {
  if (['gateway_unreachable', 'provider_unreachable'].includes(code)) return true;
  return details.status === 500 || details.problem === 'malformed_response';
}

function isOfTheGateway({ code, details }: TradeAgentError): boolean {
  return details.problem !== undefined && !['login_required', 'insufficient_scope'].includes(code);
}
