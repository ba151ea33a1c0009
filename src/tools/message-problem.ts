import { z } from 'zod';
import { TradeAgentError } from '../trading/errors.ts';
import { gatewayError, isRefusal } from './gateway-problem.ts';

/** Answers that say for certain that a message was not sent, and may be sent yet. */
const notTaken = ['account_not_connected', 'service_busy', 'provider_unreachable', 'closing'];

/**
 * The error for an answer to a message that isn't a success: `details.sent` is false where it certainly was not sent,
 * `details.final` where nobody will ever know.
 */
export function messageError(status: number, body: unknown): TradeAgentError {
  const error = gatewayError(status, body);
  const { problem } = error.details;
  const final = z.object({ final: z.literal(true) }).safeParse(body).success;
  const details = {
    ...error.details,
    ...(typeof problem === 'string' && notTaken.includes(problem) ? { sent: false } : {}),
    ...(final ? { final } : {}),
  };
  const isNo = details.sent === false || isRefusal(error);
  return new TradeAgentError(isNo ? error.code : 'outcome_unknown', error.message, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    details,
  });
}
