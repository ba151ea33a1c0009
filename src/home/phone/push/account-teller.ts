import { createHash } from 'node:crypto';
import { safeLine } from '../../../text/shown-text.ts';
import { LONGEST_TITLE, topicOf } from './push-message.ts';
import { createTeller, type TellerOptions } from './teller.ts';

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

/**
 * Tells a person on their other browsers, as {@link createTeller} does. What a lock screen may show of orders has no say in it: it
 * names none.
 */
export function createAccountTeller(options: TellerOptions): (event: AccountEvent) => Promise<void> {
  const tell = createTeller(options);
  return (event) => {
    const at = options.clock.now();
    const key = JSON.stringify([event.user, event.what, event.name, at]);
    const name = event.name === '' ? [] : [`“${event.name}”`];
    const advice = `on ${event.browser}. If that was not you: sign it out, and remove its passkey, now.`;
    const words = { title: titles[event.what], body: safeLine([...name, advice].join(' '), LONGEST_TITLE) };
    const id = createHash('sha256').update(`trade-agent.account\0${key}`).digest('base64url').slice(0, 24);
    return tell({
      ...{ user: event.user, key, isUrgent: true, except: event.session },
      message: (_, expires) => ({ kind: 'account', id: '', ...words, expires, tag: topicOf(key) }),
      notice: {
        ...{ id: `nt_${id}`, user: event.user, ...words, at: new Date(at).toISOString() },
        account: {
          event: event.what,
          browser: event.browser,
          ...(event.name === '' ? {} : { name: event.name }),
        },
      },
    });
  };
}
