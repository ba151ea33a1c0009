import { parseRetryAfterMs } from '../../../net/retry-after.ts';
import { defined } from '../../../values/defined.ts';
import type { BrokerFailure } from '../broker-failure.ts';
import { classifyRestError, FailedResponseError, NoResponseError } from '../rest-client.ts';
import type { CredentialKind } from '../stored-kinds.ts';
import type { RejectionMapping } from './mapping.ts';

export class McpToolError extends Error {
  override name = 'ToolError';
  /** The broker's HTTP status, if known. */
  readonly status: number | undefined;
  /** The broker's own error code. A failure without a code may come from an intermediary. */
  readonly code: string | undefined;
  readonly words: string;
  /** Whether the failure was found where the mapping expects rejections. If false, it was a plain-text message. */
  readonly isStructured: boolean;

  constructor(no: Pick<McpToolError, 'status' | 'code' | 'words' | 'isStructured'>) {
    super('the tool failed');
    this.status = no.status;
    this.code = no.code;
    this.words = no.words;
    this.isStructured = no.isStructured;
  }
}

/** HTTP statuses that mean that the broker itself rejected the request. */
const REJECTION_STATUSES: readonly number[] = [400, 403, 404, 409, 422];

/** The value of `SdkErrorCode.RequestTimeout`. Importing the constant would load the SDK. */
const SDK_TIMEOUT = 'REQUEST_TIMEOUT';

interface FailureContext {
  readonly refusals: RejectionMapping | undefined;
  readonly kept: CredentialKind | undefined;
}

/**
 * Classifies an error of a tool call. Only a failure with the broker's own error code and one of
 * {@link REJECTION_STATUSES} proves that the broker refused the request; a protocol error does not.
 */
export function classifyMcpError(error: unknown, { refusals, kept }: FailureContext): BrokerFailure {
  if (error instanceof McpToolError) {
    const { status, code, words } = error;
    if (status === undefined || code === undefined || !REJECTION_STATUSES.includes(status))
      return { kind: 'failing', status: status ?? 502 };
    return refusedBy(status, words, code, rejectionReason(words, refusals));
  }
  const answer = unwrapTransportError(error);
  if (answer instanceof FailedResponseError && answer.status === 401)
    return { kind: 'unauthorized', ...defined({ credentials: kept }) };
  if (answer instanceof FailedResponseError && answer.status === 429) {
    const wait = parseRetryAfterMs(answer.headers.get('retry-after'), Date.now());
    return { kind: 'rate_limited', retryAfterMs: wait };
  }
  if (answer instanceof Error && 'code' in answer && answer.code === SDK_TIMEOUT) return { kind: 'timeout' };
  return classifyRestError(answer);
}

/** Like {@link classifyMcpError}, but after an order was sent: a plain-text message does not prove a rejection. */
export function classifyMcpSubmissionError(error: unknown, context: FailureContext): BrokerFailure {
  if (error instanceof McpToolError && !error.isStructured) return { kind: 'failing', status: error.status ?? 502 };
  return classifyMcpError(error, context);
}

function refusedBy(
  status: number,
  message: string,
  brokerCode: string | undefined,
  reason: (BrokerFailure & { kind: 'refused' })['reason'],
): BrokerFailure {
  return { kind: 'refused', status, reason, message, brokerCode };
}

/** Returns the reason for a rejection, which affects only the message that the person reads. */
function rejectionReason(words: string, refusals: RejectionMapping | undefined) {
  const said = words.toLowerCase();
  const has = (all: readonly string[] = []) => all.some((one) => said.includes(one.toLowerCase()));
  if (has(refusals?.reasons.duplicate)) return 'duplicate';
  return has(refusals?.reasons.insufficient_funds) ? 'insufficient_funds' : 'other';
}

/** Returns the error that the transport threw, which the SDK wraps; any other error is returned unchanged. */
export function unwrapTransportError(error: unknown): unknown {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if (at instanceof FailedResponseError || at instanceof NoResponseError) return at;
  }
  return error;
}
