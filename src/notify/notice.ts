import type { NoticeSeverity } from '../config/notice-settings.ts';

/** Something to tell a person. It is made once, and each retry sends the very same. */
export interface Notice {
  /** Of what it tells: whoever gets it twice sees that it is the same. Letters, digits, `-`, `_`. */
  readonly id: string;
  readonly type: 'finding' | 'approval' | 'fill' | 'access' | 'account' | 'order' | 'test';
  readonly severity: NoticeSeverity;
  /** One line. */
  readonly title: string;
  readonly body: string;
  /** When it was made, RFC 3339. */
  readonly at: string;
  /** The same in fields, for programs. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** Sends one notice by one way. @throws {NoticeFailure} */
export type SendNotice = (notice: Notice, signal: AbortSignal) => Promise<void>;

export const failureCodes = [
  /** No connection, or none any more. */
  'unreachable',
  'timeout',
  /** The other side took it and said no. */
  'refused',
  /** Its secret is wrong. */
  'not_authorized',
  'secret_missing',
  /** It would have gone out unprotected. */
  'insecure',
  /** This machine has no means for it. */
  'unavailable',
  /** The channel is no longer in config.yaml. */
  'no_channel',
  /** It was of no use any more before it could be sent. */
  'too_old',
  'interrupted',
] as const;
export type FailureCode = (typeof failureCodes)[number];

/**
 * Why a notice was not sent. Its message names hosts and status codes, and never quotes what a server said: that may
 * hold what it was sent.
 */
export class NoticeFailure extends Error {
  override name = 'NoticeFailure';
  readonly code: FailureCode;
  /** Whether it may work in a moment. */
  readonly passing: boolean;
  /** Milliseconds the other side asks to wait. */
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
