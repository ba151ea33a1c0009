import type { BrokerFailure } from '../broker-failure.ts';
import { classifyRestError, FailedResponseError } from '../rest-client.ts';

/** Thrown if Interactive Brokers rejects a request, or if the adapter declines a question about an order. */
export class IbkrRejectionError extends Error {
  override name = 'IbkrRejection';
}

export function findErrorMessage(json: unknown): string | undefined {
  const { error } = (json ?? {}) as { error?: unknown };
  return typeof error === 'string' ? error : undefined;
}

/** Classifies an error. A response with `error` is a rejection, unless its status is a server error or 408. */
export function classifyIbkrError(error: unknown): BrokerFailure {
  if (error instanceof IbkrRejectionError) return refusedBy(error.message);
  if (!(error instanceof FailedResponseError)) return classifyRestError(error);
  const { status, json } = error;
  if (status === 401) return { kind: 'unauthorized', credentials: 'gateway_session' };
  // No header says how long to wait ("Pacing Limitations").
  if (status === 429) return { kind: 'rate_limited', retryAfterMs: undefined };
  const said = status < 500 && status !== 408 ? findErrorMessage(json) : undefined;
  return said === undefined ? { kind: 'failing', status } : refusedBy(said);
}

function refusedBy(message: string): BrokerFailure {
  return { kind: 'refused', ...rejectionReason(message), message, brokerCode: undefined };
}

/** Finds the reason in the message, because IBKR sends no codes. A reason affects only messages and cancellations. */
function rejectionReason(message: string): Pick<BrokerFailure & { kind: 'refused' }, 'status' | 'reason'> {
  // "Order couldn't be submitted: Local order ID=… is already registered."
  if (/already registered/i.test(message)) return { status: 409, reason: 'duplicate' };
  if (/insufficient|buying power|available funds|margin requirement/i.test(message)) {
    return { status: 422, reason: 'insufficient_funds' };
  }
  if (/doesn.t exist|not found/i.test(message)) return { status: 404, reason: 'other' };
  return { status: 422, reason: 'other' };
}
