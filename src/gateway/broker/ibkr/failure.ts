import type { BrokerFailure } from '../broker-failure.ts';
import { RestAnswer, restFailure } from '../rest-client.ts';

/** A no in Interactive Brokers' words, or ours where it has none for what is asked. */
export class IbkrNo extends Error {
  override name = 'IbkrNo';
}

/** The words of an answer that is a no: `{error}`, whatever its status. */
export function errorIn(json: unknown): string | undefined {
  const { error } = (json ?? {}) as { error?: unknown };
  return typeof error === 'string' ? error : undefined;
}

/** What an error proves. `{error}` with a status that is no server's is a no to the request. */
export function failureOf(error: unknown): BrokerFailure {
  if (error instanceof IbkrNo) return refusedBy(error.message);
  if (!(error instanceof RestAnswer)) return restFailure(error);
  const { status, json } = error;
  if (status === 401) return { kind: 'unauthorized', credentials: 'gateway_session' };
  // "Pacing Limitations": no header says for how long.
  if (status === 429) return { kind: 'rate_limited', retryAfterMs: undefined };
  const said = status < 500 && status !== 408 ? errorIn(json) : undefined;
  return said === undefined ? { kind: 'failing', status } : refusedBy(said);
}

function refusedBy(message: string): BrokerFailure {
  return { kind: 'refused', ...reasonOf(message), message, brokerCode: undefined };
}

/** There are no codes; the words decide what the person reads, and which of the noes a cancel's is. */
function reasonOf(message: string): Pick<BrokerFailure & { kind: 'refused' }, 'status' | 'reason'> {
  // "Order couldn't be submitted: Local order ID=… is already registered."
  if (/already registered/i.test(message)) return { status: 409, reason: 'duplicate' };
  if (/insufficient|buying power|available funds|margin requirement/i.test(message)) {
    return { status: 422, reason: 'insufficient_funds' };
  }
  if (/doesn.t exist|not found/i.test(message)) return { status: 404, reason: 'other' };
  return { status: 422, reason: 'other' };
}
