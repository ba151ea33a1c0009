import type { Fill } from '../../fills/fill.ts';
import type { OrderNews } from '../../fills/order-news.ts';

/** What is told by other ways than a push. `title` is one line; the last field repeats it for programs. */
export type PhoneNotice = {
  /** The same at each attempt, also after a crash. Letters, digits, `-`, `_`. */
  readonly id: string;
  readonly user: string;
  readonly title: string;
  readonly body: string;
  /** When it happened, RFC 3339. */
  readonly at: string;
} & (
  | {
      readonly approval: {
        readonly id: string;
        /** Absent if it is to be picked on the phone. */
        readonly code?: string;
        readonly expires_at: string;
        /** `Buy 5 AAPL · PAPER`; absent if a lock screen may not show it. */
        readonly order?: string;
        readonly phone: string;
      };
    }
  /** Nothing of a fill or of an unexpected order if a lock screen may not show it. */
  | { readonly fill: Fill['facts'] | Record<never, never> }
  | { readonly order: OrderNews['facts'] | Record<never, never> }
  /** A company ended a person's sign-in, or allowed it again. */
  | { readonly access: { readonly company: string; readonly signal: string } }
  | {
      readonly account: {
        readonly event: 'passkey_added' | 'passkey_removed' | 'recovery_sign_in';
        readonly browser: string;
        readonly name?: string;
      };
    }
);

/**
 * How people are told where a push doesn't reach them. What can't be sent is the implementation's to report: a notice
 * that fails changes nothing.
 * @example
 * ```ts
 * import type { PhoneNotices } from './phone-notices.ts';
 *
 * export const printed = (write: (line: string) => void): PhoneNotices => ({
 *   tell: async ({ user, title }) => write(`${user}: ${title}`),
 * });
 * ```
 */
export interface PhoneNotices {
  tell(notice: PhoneNotice, signal: AbortSignal): Promise<void>;
}
