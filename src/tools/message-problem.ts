import { z } from 'zod';
import { TradeAgentError } from '../trading/errors.ts';
import { gatewayError, isNotTaken, isRefusal } from './gateway-problem.ts';

/**
 * The error for an answer to a message that isn't a success: `details.sent` is false where it certainly was not sent,
 * `details.final` where nobody will ever know.
 */
export function messageError(status: number, body: unknown): TradeAgentError {
  const error = gatewayError(status, body);
  const final = z.object({ final: z.literal(true) }).safeParse(body).success;
  const details = {
    ...error.details,
    ...(isNotTaken(error) ? { sent: false } : {}),
    ...(final ? { final } : {}),
  };
  const isNo = details.sent === false || isRefusal(error);
  return new TradeAgentError(isNo ? error.code : 'outcome_unknown', error.message, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    details,
  });
}
