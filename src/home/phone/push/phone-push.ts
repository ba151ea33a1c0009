import { createHash } from 'node:crypto';
import type { ApprovalKeys } from '../../../approval/keys/approval-keys.ts';
import type { Clock } from '../../../machine/clock.ts';
import { createPublicFetch, createPublicResolver, type ResolveHost } from '../../../net/outbound-client.ts';
import { loadVapidKeys } from '../../../store/home/vapid-keys.ts';
import type { OtherProcesses } from '../../../store/other-processes.ts';
import type { SqlTransactions } from '../../../store/sql/sql-database.ts';
import { safeLine } from '../../../text/sanitize.ts';
import { environmentName } from '../../../trading/environment.ts';
import { defined } from '../../../values/defined.ts';
import type { Fill } from '../../fills/fill.ts';
import type { OrderNews } from '../../fills/order-news.ts';
import type { ApprovalRequest, ApprovalRequests } from '../../identity-provider/approval-requests.ts';
import type { Company } from '../../identity-provider/companies/company.ts';
import type { PendingSignal } from '../../identity-provider/signals/company-revocations.ts';
import type { SignalEffect } from '../../identity-provider/signals/security-events.ts';
import type { AccountSecurityEvent } from '../page/browser.ts';
import { type ApprovalNotifierOptions, createApprovalNotifier } from './approval-notifier.ts';
import type { PhoneNotice, PhoneNoticeSender } from './phone-notices.ts';
import {
  type LockScreenContent,
  MAX_BODY_LENGTH,
  MAX_TITLE_LENGTH,
  type PushMessage,
  pushTopic,
} from './push-message.ts';
import { createPushSender, type PushContext, pushToAllBrowsers } from './push-sender.ts';
import { openPushSubscriptions } from './push-subscriptions.ts';

/** A home's push settings. The defaults suit a home that a person runs for themselves. */
export interface PushOptions {
  /** Content of lock-screen notifications: the whole order (`full`), or only that there is an order (`short`). */
  readonly content?: LockScreenContent;
  /** Address at which push services can report problems to the operator: `mailto:…` or an https address. */
  readonly contact?: string;
  readonly notices?: PhoneNoticeSender;
  /** When to also notify through `notices`: only if no push was delivered (`fallback`), or `always`. */
  readonly noticesWhen?: 'fallback' | 'always';
  /** Whether people are notified when their orders fill. Defaults to true. */
  readonly fills?: boolean;
  /** Allows push services on this machine, for tests. */
  readonly loopback?: boolean;
}

export type PhonePush = Awaited<ReturnType<typeof createPhonePush>>;

const TIMEOUT_MS = 10_000;

export async function createPhonePush(
  parts: {
    readonly issuer: string;
    readonly database: SqlTransactions;
    /** The other processes that use the database, if any. */
    readonly others?: OtherProcesses | undefined;
    readonly requests: ApprovalRequests;
    readonly keys: Pick<ApprovalKeys, 'list'>;
    readonly clock: Clock;
    readonly closing: AbortSignal;
    /** See {@link IdentityProviderOptions}. `fetch` is used only for push services on this machine. */
    readonly fetch: typeof fetch;
    readonly resolve?: ResolveHost | undefined;
    readonly onError: (message: string) => void;
    /** Returns whether the person must choose a request's code on the phone. If undefined, this is never required. */
    readonly hidesCode?: (request: ApprovalRequest) => boolean;
  },
  options: PushOptions = {},
) {
  const { issuer, database, clock, closing } = parts;
  const { loopback = false, notices } = options;
  const vapid = await loadVapidKeys(database);
  const subscriptions = openPushSubscriptions(database, clock, { loopback });
  // These hosts come from signed-in people. A separate resolver keeps such hosts from delaying other lookups.
  const resolve = parts.resolve ?? createPublicResolver({ maxConcurrent: 4, maxQueued: 32 });
  const send = createPushSender({
    vapid,
    // RFC 8292 requires a contact. A home on localhost has no address that others could use.
    contact: options.contact ?? (issuer.startsWith('https:') ? issuer : 'mailto:home@trade-agent.invalid'),
    fetch: loopback ? parts.fetch : createPublicFetch(resolve),
    clock,
    closing,
    timeoutMs: TIMEOUT_MS,
  });
  const ringing = {
    ...parts,
    subscriptions,
    send,
    content: options.content ?? 'full',
    ...defined({ notices }),
    noticesWhen: options.noticesWhen ?? 'fallback',
  };
  const approvalNotifier = createApprovalNotifier({ hidesCode: () => false, ...ringing, phone: `${issuer}/phone` });
  const tell = createNotifiers(ringing);
  /** Sends the notification in the background. Failures are reported to the home, not to the caller. */
  const tellAccount = (event: AccountSecurityEvent) =>
    void tell.account(event).catch((error: Error) => {
      if (!closing.aborted) parts.onError(error.message);
    });
  return {
    /** VAPID public key with which the page subscribes, in base64url. */
    publicKey: vapid.publicKey,
    subscriptions,
    approvalNotifier,
    notifyFill: options.fills === false ? async () => undefined : tell.fill,
    notifyOrder: tell.order,
    notifySignal: tell.signalled,
    tellAccount,
  };
}

interface NotifierOptions extends PushContext, Pick<ApprovalNotifierOptions, 'content' | 'notices' | 'noticesWhen'> {
  readonly clock: Clock;
}

interface NoticeText {
  readonly title: string;
  readonly body: string;
}

/** An event of which a person is notified and that requires no decision. */
interface PersonEvent {
  readonly user: string;
  /** Identifies the event. A repeated notification replaces the earlier one on the screen. */
  readonly key: string;
  readonly kind: PushMessage['kind'];
  readonly words: NoticeText;
  /** Text for browsers whose push service must not receive details. Defaults to `words`. */
  readonly brief?: NoticeText;
  /** RFC 3339. */
  readonly at: string;
  /** A member that depends on the event, such as `fill`, with the same facts for programs. */
  readonly facts: UnionOmit<PhoneNotice, keyof NoticeText | 'id' | 'user' | 'at'>;
  /** Whether an intruder may have caused the event. If so, the push wakes the phone and can be delivered for a week. */
  readonly isUrgent?: boolean;
  /** The session that caused the event. Its browser is not notified. */
  readonly except?: string | undefined;
}
type UnionOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** Time in milliseconds during which a push can still be delivered. It is long because a phone may be off overnight. */
const PUSH_TTL_MS = 24 * 60 * 60_000;
const URGENT_PUSH_TTL_MS = 7 * PUSH_TTL_MS;

/**
 * Creates a notifier that pushes to a person's browsers and, if no push was sent or the settings say `always`, also
 * uses other channels. The notifier throws if `closing` aborts.
 */
function createNotifier(options: NotifierOptions): (told: PersonEvent) => Promise<void> {
  const { notices, noticesWhen, clock, closing } = options;
  return async ({ user, key, kind, words, brief = words, at, facts, isUrgent = false, except }) => {
    const until = clock.now() + (isUrgent ? URGENT_PUSH_TTL_MS : PUSH_TTL_MS);
    const tag = pushTopic(key);
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
      wanted: async () => true,
    } as const;
    const named = `trade-agent.${kind === 'access' ? 'signal' : kind}\0${key}`;
    const id = `nt_${createHash('sha256').update(named).digest('base64url').slice(0, 24)}`;
    const notice: PhoneNotice = { id, user, ...words, at, ...facts };
    const sending = pushToAllBrowsers(options, user, pushed, ({ session }) => session !== except);
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
  recovery_sign_in: 'Signed in with the recovery code',
} as const;

const bodies: Readonly<Record<SignalEffect, string>> = {
  ended:
    'Requests made through this company were withdrawn, and your mandates are suspended. You can sign in through the company again.',
  disabled:
    'Requests made through this company were withdrawn, your mandates are suspended, and your accounts are disconnected. You can no longer sign in through the company.',
  enabled: 'You can sign in through this company again. Withdrawn requests stay withdrawn.',
};

function createNotifiers(options: NotifierOptions) {
  const tell = createNotifier(options);
  const isShort = options.content === 'short';
  return {
    /** Notifies a person of a fill, such as `Bought 5 AAPL at $179.51 · PAPER`, with the account in the body. */
    fill: ({ user, key, at, facts, headline, environment, account }: Fill) => {
      const word = environment === undefined ? [] : [environmentName(environment)];
      const by = facts.mandate_id === undefined ? [] : [`by mandate ${facts.mandate_id}`];
      const brief = { title: 'Your order was filled', body: '' };
      const full = {
        title: safeLine([headline, ...word].join(' · '), MAX_TITLE_LENGTH),
        body: safeLine([`Account ${account}`, ...by].join(' · '), MAX_TITLE_LENGTH),
      };
      const words = isShort ? brief : full;
      return tell({ user, key, kind: 'fill', words, brief, at, facts: { fill: isShort ? {} : facts } });
    },

    order: ({ user, key, title, body, at, facts: order }: OrderNews) => {
      const brief = { title: 'An order needs your attention', body: '' };
      const full = { title: safeLine(title, MAX_TITLE_LENGTH), body: safeLine(body, MAX_BODY_LENGTH) };
      const words = isShort ? brief : full;
      const facts = { order: isShort ? {} : order };
      return tell({ user, key, kind: 'order', words, brief, at, facts, isUrgent: true });
    },

    /** Notifies a person's other browsers. The text mentions no orders, so lock-screen settings do not apply. */
    account: ({ user, what: event, name, browser, session: except }: AccountSecurityEvent) => {
      const now = options.clock.now();
      const key = JSON.stringify([user, event, name, now]);
      const advice = `on ${browser}. If that was not you, sign that browser out and remove its passkey now.`;
      const body = safeLine(name === '' ? advice : `“${name}” ${advice}`, MAX_TITLE_LENGTH);
      const words = { title: titles[event], body };
      const facts = { account: { event, browser, ...(name === '' ? {} : { name }) } };
      const at = new Date(now).toISOString();
      return tell({ user, key, kind: 'account', words, at, facts, isUrgent: true, except });
    },

    signalled: (
      { user, issuer, effect, event, jti, at }: PendingSignal,
      company: Pick<Company, 'name'> | undefined,
    ) => {
      const name = company?.name ?? new URL(issuer).host;
      const said = effect === 'enabled' ? `${name} lets you sign in again` : `${name} ended your sign-in`;
      return tell({
        user,
        key: JSON.stringify(['signal', issuer, jti]),
        kind: 'access',
        words: { title: safeLine(said, MAX_TITLE_LENGTH), body: bodies[effect] },
        brief: { title: 'One of your sign-ins has changed', body: '' },
        at: new Date(at).toISOString(),
        facts: { access: { company: name, signal: event } },
      });
    },
  };
}
