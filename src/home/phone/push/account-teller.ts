import { createHash } from 'node:crypto';
import { safeLine } from '../../../net/shown-text.ts';
import type { FillTellerOptions } from './fill-teller.ts';
import type { AccountNotice } from './phone-notices.ts';
import { LONGEST_TITLE, type PushMessage, topicOf } from './push-message.ts';
import { pushToAll } from './push-to-all.ts';

/** What happened to how a person gets in, that they may not have done themselves. */
export interface AccountEvent {
  readonly user: string;
  readonly what: 'passkey_added' | 'passkey_removed' | 'recovery_sign_in';
  /** What the passkey is called; empty for a sign-in. */
  readonly name: string;
  /** On which it was done, as it calls itself: `Safari on iPhone`. */
  readonly browser: string;
  /** Whose browser does not ring: it knows. Undefined where it has no session. */
  readonly session: string | undefined;
}

const titles = {
  passkey_added: 'A passkey was added',
  passkey_removed: 'A passkey was removed',
  recovery_sign_in: 'Signed in by the recovery code',
} as const;

/** Milliseconds that a push is worth delivering: who was away must still hear of it. */
const WORTH_MS = 7 * 24 * 60 * 60_000;

/**
 * Tells a person on their other browsers, and by other ways where none was reached, or always. What a lock screen may show of
 * orders has no say in it: it names none.
 * @throws the signal's reason where it is cut off by closing
 */
export function createAccountTeller(
  options: Omit<FillTellerOptions, 'content'>,
): (event: AccountEvent) => Promise<void> {
  const { notices, noticesWhen, clock, closing } = options;
  return async (event) => {
    const at = clock.now();
    const key = JSON.stringify([event.user, event.what, event.name, at]);
    const words = {
      title: titles[event.what],
      body: safeLine(
        [
          ...(event.name === '' ? [] : [`“${event.name}”`]),
          `on ${event.browser}. If that was not you: sign it out, and remove its passkey, now.`,
        ].join(' '),
        LONGEST_TITLE,
      ),
    };
    const message: PushMessage = {
      ...{ kind: 'account', id: '', ...words, expires: at + WORTH_MS, tag: topicOf(key) },
    };
    const sending = pushToAll(
      options,
      event.user,
      {
        payload: () => JSON.stringify(message),
        topic: message.tag,
        urgency: 'high',
        until: message.expires,
        wanted: () => true,
      },
      ({ session }) => session !== event.session,
    );
    const notice: AccountNotice = {
      id: `nt_${createHash('sha256').update(`trade-agent.account\0${key}`).digest('base64url').slice(0, 24)}`,
      ...{ user: event.user, ...words, at: new Date(at).toISOString() },
      account: {
        event: event.what,
        browser: event.browser,
        ...(event.name === '' ? {} : { name: event.name }),
      },
    };
    if (notices !== undefined && noticesWhen === 'always') {
      await Promise.all([sending, notices.tell(notice, closing)]);
    } else if (!(await sending) && notices !== undefined) {
      await notices.tell(notice, closing);
    }
    closing.throwIfAborted();
  };
}
