import { isTradeAgentError, type TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import { failpoint } from '../../machine/failpoint.ts';
import type { Proposal, ProposalRequestInput } from '../../trading/proposal.ts';
import type { GatewayClient } from './gateway-client.ts';

/** Waits between the tries to propose, milliseconds; short, since somebody is watching. */
const BACKOFF_MS = [1_000, 2_000, 4_000] as const;

/** What proposing goes by. */
export interface Proposing {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told what the person should know meanwhile. */
  readonly notice: (message: string) => void;
  /** Asked before each try; its error ends them. */
  readonly before?: () => Promise<void>;
  /** The error where the gateway may have the proposal, and does not say so. */
  readonly unanswered: (cause?: unknown) => TradeAgentError;
}

/**
 * Proposes, and asks again after a lost answer: by its key it stays one proposal.
 * @throws {TradeAgentError} the gateway's refusal; `unanswered` where it may have the proposal
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
      // Nobody foresaw it, so nobody knows how far it had come.
      if (!isTradeAgentError(error)) throw unanswered(error);
      const { code, details } = error;
      // A proposal that is there is found before anything is refused, but for who asks.
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

/** Whether nobody said what became of the request. */
function isSilent({ code, details }: TradeAgentError): boolean {
  if (['gateway_unreachable', 'provider_unreachable'].includes(code)) return true;
  return details.status === 500 || details.problem === 'malformed_response';
}

/** Whether the gateway says no to the request itself. */
function isOfTheGateway({ code, details }: TradeAgentError): boolean {
  return details.problem !== undefined && !['login_required', 'insufficient_scope'].includes(code);
}
