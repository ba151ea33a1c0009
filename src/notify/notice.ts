import type { NoticeSeverity } from '../config/notice-settings.ts';

/** A message to a person. It is created once, and retries send it unchanged. */
export interface Notice {
  /** Identifies the event, so that recipients can detect duplicates. Contains only letters, digits, `-` and `_`. */
  readonly id: string;
  readonly type: 'finding' | 'approval' | 'fill' | 'access' | 'account' | 'order' | 'test';
  readonly severity: NoticeSeverity;
  /** A single line. */
  readonly title: string;
  readonly body: string;
  /** Creation time, RFC 3339. */
  readonly at: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Sends one notice through one channel. @throws {NoticeFailedError} */
export type SendNotice = (notice: Notice, signal: AbortSignal) => Promise<void>;

export const noticeFailureCodes = [
  'unreachable',
  'timeout',
  'refused',
  'not_authorized',
  'secret_missing',
  /** The notice would have been sent without encryption. */
  'insecure',
  'unavailable',
  'no_channel',
  'too_old',
  'interrupted',
] as const;
export type NoticeFailureCode = (typeof noticeFailureCodes)[number];

/**
 * The reason why a notice was not sent. The message names hosts and status codes but never quotes the server's
 * response, which may repeat a secret.
 */
export class NoticeFailedError extends Error {
  override name = 'NoticeFailure';
  readonly code: NoticeFailureCode;
  readonly passing: boolean;
  readonly retryAfter: number | undefined;

  constructor(
    code: NoticeFailureCode,
    message: string,
    options: { passing?: boolean; retryAfter?: number | undefined } = {},
  ) {
    super(message);
    this.code = code;
    this.passing = options.passing ?? false;
    this.retryAfter = options.retryAfter;
  }
}
