import type { Fill } from '../../fills/fill.ts';
import type { OrderNews } from '../../fills/order-news.ts';

/** What is told by another way than a push. */
interface Told {
  /** Of what it tells: the same at each attempt, also after a crash. Letters, digits, `-`, `_`. */
  readonly id: string;
  readonly user: string;
  /** One line. */
  readonly title: string;
  readonly body: string;
  /** When it was asked, filled or done, or came about, RFC 3339. */
  readonly at: string;
}

/**
 * A request. It holds no authority: whoever reads it, or opens the address, still has to be the person, on a phone that is
 * paired.
 */
interface RequestNotice extends Told {
  /** The same in fields, for programs. */
  readonly approval: {
    readonly id: string;
    /** Absent where it is to be picked on the phone. */
    readonly code?: string;
    readonly expires_at: string;
    /** `Buy 5 AAPL · PAPER`; absent where a lock screen may not show it. */
    readonly order?: string;
    /** The phone's page, for everybody the same. */
    readonly phone: string;
  };
}

/** What was filled of an order. */
interface FillNotice extends Told {
  /** The same in fields, for programs; nothing where a lock screen may not show it. */
  readonly fill: Fill['facts'] | Record<never, never>;
}

/** That a company ended a person's sign-in, or let them in again. */
interface AccessNotice extends Told {
  /** The same in fields, for programs. */
  readonly access: { readonly company: string; readonly signal: string };
}

/** What happened to how a person gets in. */
interface AccountNotice extends Told {
  /** The same in fields, for programs. */
  readonly account: {
    readonly event: 'passkey_added' | 'passkey_removed' | 'recovery_sign_in';
    readonly browser: string;
    /** What the passkey is called. */
    readonly name?: string;
  };
}

/** An order that its owner did not expect. */
interface OrderNotice extends Told {
  /** The same in fields, for programs; nothing where a lock screen may not show it. */
  readonly order: OrderNews['facts'] | Record<never, never>;
}

export type PhoneNotice = RequestNotice | FillNotice | AccessNotice | AccountNotice | OrderNotice;

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
  /** Resolves when it is sent or given up. */
  tell(notice: PhoneNotice, signal: AbortSignal): Promise<void>;
}
