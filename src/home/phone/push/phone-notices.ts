import type { Fill } from '../../fills/fill.ts';
import type { OrderNews } from '../../fills/order-news.ts';

/**
 * A notification sent through channels other than push. `title` is one line. A member that depends on the event
 * (`approval`, `fill`, …) contains the same facts for programs.
 */
export type PhoneNotice = {
  /** Identifies the notice, even if it is sent again after a crash. Contains only letters, digits, `-` and `_`. */
  readonly id: string;
  readonly user: string;
  readonly title: string;
  readonly body: string;
  /** Time of the event, RFC 3339. */
  readonly at: string;
} & (
  | {
      readonly approval: {
        readonly id: string;
        /** Absent if the person must choose the code on the phone. */
        readonly code?: string;
        readonly expires_at: string;
        /** Text such as `Buy 5 AAPL · PAPER`. Absent if a lock screen must not show it. */
        readonly order?: string;
        readonly phone: string;
      };
    }
  /** `fill` and `order` are empty objects if a lock screen must not show details. */
  | { readonly fill: Fill['facts'] | Record<never, never> }
  | { readonly order: OrderNews['facts'] | Record<never, never> }
  /** A company ended a person's sign-in, or allows the person to sign in again. */
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
 * Notifies people through channels other than push. An implementation reports its failures itself; they have no other
 * effect.
 * @example
 * ```ts
 * import type { PhoneNoticeSender } from './phone-notices.ts';
 *
 * export const printed = (write: (line: string) => void): PhoneNoticeSender => ({
 *   tell: async ({ user, title }) => write(`${user}: ${title}`),
 * });
 * ```
 */
export interface PhoneNoticeSender {
  tell(notice: PhoneNotice, signal: AbortSignal): Promise<void>;
}
