import type { Fill } from '../../fills/fill.ts';
import type { OrderNews } from '../../fills/order-news.ts';

/** A notification sent through other channels than push. `title` is one line. The last member repeats it for programs. */
export type PhoneNotice = {
  /** Stays the same for every attempt, even after a crash. Letters, digits, `-`, `_`. */
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
        /** Absent if the code has to be picked on the phone. */
        readonly code?: string;
        readonly expires_at: string;
        /** Example: `Buy 5 AAPL · PAPER`. Absent if a lock screen may not show it. */
        readonly order?: string;
        readonly phone: string;
      };
    }
  /** Empty if a lock screen may not show fills or unexpected orders. */
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
 * Notifies people whom a push doesn't reach. The implementation reports its own failures: a failed notice changes
 * nothing.
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
