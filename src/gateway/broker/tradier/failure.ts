import { defined } from '../../../values/defined.ts';
import type { BrokerFailure } from '../broker-failure.ts';
import { classifyRestError, FailedResponseError } from '../rest-client.ts';
import type { CredentialKind } from '../stored-kinds.ts';

/** A rejection by Tradier: status 200 with `errors`, or status 400 with plain text if the request is malformed. */
export class TradierRejectionError extends Error {
  override name = 'TradierRejection';
  readonly words: readonly string[];

  constructor(words: readonly string[]) {
    super('Tradier rejected the request');
    this.words = words;
  }
}

/** Classifies an error. Only a response with `errors`, or a 400 in plain text, is a rejection. */
export function classifyTradierError(error: unknown, kept: CredentialKind | undefined): BrokerFailure {
  if (error instanceof TradierRejectionError) return refusedBy(error.words);
  if (!(error instanceof FailedResponseError)) return classifyRestError(error);
  const { status, json, headers } = error;
  if (status === 401) return { kind: 'unauthorized', ...defined({ credentials: kept }) };
  if (status === 429 || isQuotaError(json)) return { kind: 'rate_limited', retryAfterMs: msUntilReset(headers) };
  const words = status < 500 && status !== 408 ? wordsOf(error) : undefined;
  return words === undefined ? { kind: 'failing', status } : refusedBy(words);
}

/** Returns the messages in `errors`, which contains one message or a list; undefined if it is missing. */
export function findErrorMessages(json: unknown): readonly string[] | undefined {
  const { errors } = (json ?? {}) as { errors?: { error?: unknown } };
  const error = errors?.error;
  if (error === undefined) return undefined;
  return (Array.isArray(error) ? error : [error]).map(String);
}

function wordsOf({ status, json, text, headers }: FailedResponseError): readonly string[] | undefined {
  const errors = findErrorMessages(json);
  if (errors !== undefined) return errors;
  const isLine = status === 400 && /^text\/plain\b/.test(headers.get('content-type') ?? '');
  return isLine && text.length <= 500 && !text.includes('<') ? [text] : undefined;
}

function refusedBy(words: readonly string[]): BrokerFailure {
  const message = words.join(' ');
  return {
    kind: 'refused',
    ...rejectionReason(message),
    message,
    // A code is a single word, such as `InitialMargin`.
    brokerCode: words.find((word) => /^[A-Z][A-Za-z]+$/.test(word)),
  };
}

/** Classifies a rejection by its message, because only Tradier's risk systems send codes. */
function rejectionReason(message: string): Pick<BrokerFailure & { kind: 'refused' }, 'status' | 'reason'> {
  if (/InitialMargin|MaintenanceMargin|BuyingPower|buying power|insufficient (funds|cash)/i.test(message)) {
    return { status: 422, reason: 'insufficient_funds' };
  }
  if (/order .*not found|no such order/i.test(message)) return { status: 404, reason: 'other' };
  return { status: 422, reason: 'other' };
}

/** Returns whether the response reports an exceeded quota, for which Tradier's API gateway does not use status 429. */
function isQuotaError(json: unknown): boolean {
  const { fault } = (json ?? {}) as { fault?: { detail?: { errorcode?: unknown } } };
  return fault?.detail?.errorcode === 'policies.ratelimit.QuotaViolation';
}

/** Reads `X-Ratelimit-Expiry` ("Rate Limiting"): the end of the minute, in milliseconds since the epoch. */
function msUntilReset(headers: Headers): number | undefined {
  const expiry = Number(headers.get('x-ratelimit-expiry') ?? Number.NaN);
  return Number.isFinite(expiry) && expiry > 0 ? Math.max(0, expiry - Date.now()) : undefined;
}
