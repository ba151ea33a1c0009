import type { NoticeSeverity } from '../config/notice-settings.ts';

/** Something to tell a person. It is made once; each retry sends the same. */
export interface Notice {
  /** Identifies the event, so that a duplicate can be recognized. Letters, digits, `-`, `_`. */
  readonly id: string;
  readonly type: 'finding' | 'approval' | 'fill' | 'access' | 'account' | 'order' | 'test';
  readonly severity: NoticeSeverity;
  /** One line. */
  readonly title: string;
  readonly body: string;
  /** When it was made, RFC 3339. */
  readonly at: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Sends one notice by one way. @throws {NoticeFailure} */
export type SendNotice = (notice: Notice, signal: AbortSignal) => Promise<void>;

export const failureCodes = [
  'unreachable',
  'timeout',
  'refused',
  'not_authorized',
  'secret_missing',
  /** It would have been sent unencrypted. */
  'insecure',
  'unavailable',
  'no_channel',
  'too_old',
  'interrupted',
] as const;
export type FailureCode = (typeof failureCodes)[number];

/**
 * Why a notice was not sent. Its message names hosts and status codes, and never quotes the server, which may repeat
 * what it was sent.
 */
export class NoticeFailure extends Error {
  override name = 'NoticeFailure';
  readonly code: FailureCode;
  readonly passing: boolean;
  readonly retryAfter: number | undefined;

  constructor(
    code: FailureCode,
    message: string,
    options: { passing?: boolean; retryAfter?: number | undefined } = {},
  ) {
    super(message);
    this.code = code;
    this.passing = options.passing ?? false;
    this.retryAfter = options.retryAfter;
  }
}
