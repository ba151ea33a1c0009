import { createHash } from 'node:crypto';
import type { Clock } from '../../../machine/clock.ts';
import { safeLine } from '../../../text/shown-text.ts';
import { environmentWord } from '../../../trading/environment.ts';
import type { Fill } from '../../fills/fill.ts';
import type { OrderNews } from '../../fills/order-news.ts';
import type { Company } from '../../identity-provider/companies/company.ts';
import type { Signalled } from '../../identity-provider/signals/company-standing.ts';
import type { SignalEffect } from '../../identity-provider/signals/security-events.ts';
import type { AccountEvent } from '../page/browser.ts';
import type { BellOptions } from './bell.ts';
import type { PhoneNotice } from './phone-notices.ts';
import { LONGEST_BODY, LONGEST_TITLE, type PushMessage, topicOf } from './push-message.ts';
import { pushToAll, type Ringing } from './push-sender.ts';

interface TellerOptions extends Ringing, Pick<BellOptions, 'content' | 'notices' | 'noticesWhen'> {
  readonly clock: Clock;
}

interface Words {
  readonly title: string;
  readonly body: string;
}

/** Something that happened to a person: there is nothing for them to decide. */
interface ToTell {
  readonly user: string;
  /** Names what happened: however often it is told, it has one place on a screen. */
  readonly key: string;
  readonly kind: PushMessage['kind'];
  readonly words: Words;
  /** For browsers whose push service must not be told more; the same unless given. */
  readonly brief?: Words;
  /** RFC 3339. */
  readonly at: string;
  /** What the notice is about, and the same in fields, for programs. */
  readonly facts: UnionOmit<PhoneNotice, keyof Words | 'id' | 'user' | 'at'>;
  /** It says that somebody else may be at work: it wakes the phone, and whoever was away for days hears of it too. */
  readonly isUrgent?: boolean;
  /** The session whose browser does not ring: it knows. */
  readonly except?: string | undefined;
}
type UnionOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** Milliseconds that a push is worth delivering: a phone may be off for the night. */
const WORTH_MS = 24 * 60 * 60_000;
const URGENT_WORTH_MS = 7 * WORTH_MS;

/** Pushes to each of a person's browsers, and tells by other ways if none was reached, or always. @throws when closing */
function createTeller(options: TellerOptions): (told: ToTell) => Promise<void> {
  const { notices, noticesWhen, clock, closing } = options;
  return async ({ user, key, kind, words, brief = words, at, facts, isUrgent = false, except }) => {
    const until = clock.now() + (isUrgent ? URGENT_WORTH_MS : WORTH_MS);
    const tag = topicOf(key);
    const message = (short: boolean): PushMessage => ({
      kind,
      id: '',
      ...(short ? brief : words),
      expires: until,
      tag,
    });
    const pushed = {
      payload: (short: boolean) => JSON.stringify(message(short)),
      topic: tag,
      urgency: isUrgent ? 'high' : 'normal',
      until,
      wanted: () => true,
    } as const;
    const named = `trade-agent.${kind === 'access' ? 'signal' : kind}\0${key}`;
    const id = `nt_${createHash('sha256').update(named).digest('base64url').slice(0, 24)}`;
    const notice: PhoneNotice = { id, user, ...words, at, ...facts };
    const sending = pushToAll(options, user, pushed, ({ session }) => session !== except);
    if (notices !== undefined && noticesWhen === 'always') {
      await Promise.all([sending, notices.tell(notice, closing)]);
    } else if (!(await sending) && notices !== undefined) {
      await notices.tell(notice, closing);
    }
    closing.throwIfAborted();
  };
}

const titles = {
  passkey_added: 'A passkey was added',
  passkey_removed: 'A passkey was removed',
  recovery_sign_in: 'Signed in by the recovery code',
} as const;

const bodies: Readonly<Record<SignalEffect, string>> = {
  ended: 'What came by it was withdrawn, and your mandates are suspended. You can sign in by it again.',
  disabled:
    'What came by it was withdrawn, your mandates are suspended, and your accounts are disconnected. Nobody gets in by it any more.',
  enabled: 'You can sign in by it again. What was withdrawn stays so.',
};

export function createTellers(options: TellerOptions) {
  const tell = createTeller(options);
  const isShort = options.content === 'short';
  return {
    /** `Bought 5 AAPL at $179.51 · PAPER`, and below it the account. */
    fill: ({ user, key, at, facts, headline, environment, account }: Fill) => {
      const word = environment === undefined ? [] : [environmentWord(environment)];
      const by = facts.mandate_id === undefined ? [] : [`by mandate ${facts.mandate_id}`];
      const brief = { title: 'An order of yours was filled', body: '' };
      const full = {
        title: safeLine([headline, ...word].join(' · '), LONGEST_TITLE),
        body: safeLine([`Account ${account}`, ...by].join(' · '), LONGEST_TITLE),
      };
      const words = isShort ? brief : full;
      return tell({ user, key, kind: 'fill', words, brief, at, facts: { fill: isShort ? {} : facts } });
    },

    order: ({ user, key, title, body, at, facts: order }: OrderNews) => {
      const brief = { title: 'An order needs your attention', body: '' };
      const full = { title: safeLine(title, LONGEST_TITLE), body: safeLine(body, LONGEST_BODY) };
      const words = isShort ? brief : full;
      const facts = { order: isShort ? {} : order };
      return tell({ user, key, kind: 'order', words, brief, at, facts, isUrgent: true });
    },

    /** Tells a person's other browsers, whatever lock screens may show of orders: it names none. */
    account: ({ user, what: event, name, browser, session: except }: AccountEvent) => {
      const now = options.clock.now();
      const key = JSON.stringify([user, event, name, now]);
      const advice = `on ${browser}. If that was not you: sign it out, and remove its passkey, now.`;
      const body = safeLine(name === '' ? advice : `“${name}” ${advice}`, LONGEST_TITLE);
      const words = { title: titles[event], body };
      const facts = { account: { event, browser, ...(name === '' ? {} : { name }) } };
      const at = new Date(now).toISOString();
      return tell({ user, key, kind: 'account', words, at, facts, isUrgent: true, except });
    },

    signalled: (
      { user, issuer, effect, event, jti, at }: Signalled,
      company: Pick<Company, 'name'> | undefined,
    ) => {
      const name = company?.name ?? new URL(issuer).host;
      const said = effect === 'enabled' ? `${name} let you in again` : `${name} ended your sign-in`;
      return tell({
        user,
        key: JSON.stringify(['signal', issuer, jti]),
        kind: 'access',
        words: { title: safeLine(said, LONGEST_TITLE), body: bodies[effect] },
        brief: { title: 'A sign-in of yours has changed', body: '' },
        at: new Date(at).toISOString(),
        facts: { access: { company: name, signal: event } },
      });
    },
  };
}
