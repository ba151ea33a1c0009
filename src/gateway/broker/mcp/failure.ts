import { retryAfterMs } from '../../../net/retry-after.ts';
import { defined } from '../../../values/defined.ts';
import type { BrokerFailure } from '../broker-failure.ts';
import type { KeptKind } from '../kept-kinds.ts';
import { NoAnswer, RestAnswer, restFailure } from '../rest-client.ts';
import type { Refusals } from './mapping.ts';

/** A tool that failed, by its own account. */
export class ToolNo extends Error {
  override name = 'ToolNo';
  /** The broker's HTTP status, where it is told. */
  readonly status: number | undefined;
  /** The broker's own; without one it is somebody's in between. */
  readonly code: string | undefined;
  readonly words: string;
  /** Whether it stands where the mapping says that a no stands; else it was read out of a line of text. */
  readonly isStructured: boolean;

  constructor(no: Pick<ToolNo, 'status' | 'code' | 'words' | 'isStructured'>) {
    super('the tool fails');
    this.status = no.status;
    this.code = no.code;
    this.words = no.words;
    this.isStructured = no.isStructured;
  }
}

/** Statuses with which a broker speaks of the request itself. */
const OWN_WORD: readonly number[] = [400, 403, 404, 409, 422];

/** `SdkErrorCode.RequestTimeout`, which can't be imported without loading the SDK. */
const SDK_TIMEOUT = 'REQUEST_TIMEOUT';

interface Telling {
  readonly refusals: Refusals | undefined;
  /** What was kept of the person, where it was. */
  readonly kept: KeptKind | undefined;
}

/**
 * What an error proves. A no is the broker's own, with a code and a status that speaks of the request. Whatever else a server
 * says, an error of the protocol included, proves nothing.
 */
export function failureOf(error: unknown, { refusals, kept }: Telling): BrokerFailure {
  if (error instanceof ToolNo) {
    const { status, code, words } = error;
    if (status === undefined || code === undefined || !OWN_WORD.includes(status))
      return { kind: 'failing', status: status ?? 502 };
    return refusedBy(status, words, code, reasonOf(words, refusals));
  }
  const answer = causeOf(error);
  if (answer instanceof RestAnswer && answer.status === 401)
    return { kind: 'unauthorized', ...defined({ credentials: kept }) };
  if (answer instanceof RestAnswer && answer.status === 429) {
    const wait = retryAfterMs(answer.headers.get('retry-after'), Date.now());
    return { kind: 'rate_limited', retryAfterMs: wait };
  }
  if (answer instanceof Error && 'code' in answer && answer.code === SDK_TIMEOUT) return { kind: 'timeout' };
  return restFailure(answer);
}

/** As {@link failureOf}, of an order that was sent: what is read out of a line of text is no proof. */
export function submissionFailureOf(error: unknown, telling: Telling): BrokerFailure {
  if (error instanceof ToolNo && !error.isStructured) return { kind: 'failing', status: error.status ?? 502 };
  return failureOf(error, telling);
}

function refusedBy(
  status: number,
  message: string,
  brokerCode: string | undefined,
  reason: (BrokerFailure & { kind: 'refused' })['reason'],
): BrokerFailure {
  return { kind: 'refused', status, reason, message, brokerCode };
}

/** It decides only what the person reads. */
function reasonOf(words: string, refusals: Refusals | undefined) {
  const said = words.toLowerCase();
  const has = (all: readonly string[] = []) => all.some((one) => said.includes(one.toLowerCase()));
  if (has(refusals?.reasons.duplicate)) return 'duplicate';
  return has(refusals?.reasons.insufficient_funds) ? 'insufficient_funds' : 'other';
}

/** The SDK wraps what the transport throws. */
export function causeOf(error: unknown): unknown {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if (at instanceof RestAnswer || at instanceof NoAnswer) return at;
  }
  return error;
}
