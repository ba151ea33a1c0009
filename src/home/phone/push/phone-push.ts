import { createHash } from 'node:crypto';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Keys } from '../../../approval/keys/keys.ts';
import type { Clock } from '../../../machine/clock.ts';
import { publicFetch } from '../../../net/public-fetch.ts';
import { createPublicResolver } from '../../../net/public-resolver.ts';
import type { ResolveHost } from '../../../net/resolve-host.ts';
import { safeLine } from '../../../text/shown-text.ts';
import { defined } from '../../../values/defined.ts';
import type { Fill } from '../../fills/fill.ts';
import type { OrderNews } from '../../fills/order-news.ts';
import type { ApprovalRequest, ApprovalRequests } from '../../identity-provider/approval-requests.ts';
import type { Company } from '../../identity-provider/companies/company.ts';
import type { Signalled } from '../../identity-provider/signals/company-standing.ts';
import type { SignalEffect } from '../../identity-provider/signals/security-events.ts';
import { type AccountEvent, createAccountTeller } from './account-teller.ts';
import { type Bell, createBell } from './bell.ts';
import { createFillTeller } from './fill-teller.ts';
import type { PhoneNotices } from './phone-notices.ts';
import { LONGEST_BODY, LONGEST_TITLE, type PushContent, topicOf } from './push-message.ts';
import { createPushSender } from './push-sender.ts';
import { openPushSubscriptions, type PushSubscriptions } from './push-subscriptions.ts';
import { createTeller, type TellerOptions } from './teller.ts';
import { loadVapidKeys } from './vapid-keys.ts';

const bodies: Readonly<Record<SignalEffect, string>> = {
  ended: 'What came by it was withdrawn, and your mandates are suspended. You can sign in by it again.',
  disabled:
    'What came by it was withdrawn, your mandates are suspended, and your accounts are disconnected. Nobody gets in by it any more.',
  enabled: 'You can sign in by it again. What was withdrawn stays so.',
};

/** Tells a person what their company's signal took back, as {@link createTeller} does: by every channel that is on. */
function createSignalTeller(
  options: TellerOptions,
): (signalled: Signalled, company: Pick<Company, 'name'> | undefined) => Promise<void> {
  const tell = createTeller(options);
  return (signalled, company) => {
    const { user, issuer, effect, event, jti, at } = signalled;
    const key = JSON.stringify(['signal', issuer, jti]);
    const name = company?.name ?? new URL(issuer).host;
    const said = effect === 'enabled' ? `${name} let you in again` : `${name} ended your sign-in`;
    const words = { title: safeLine(said, LONGEST_TITLE), body: bodies[effect] };
    const id = createHash('sha256').update(`trade-agent.signal\0${key}`).digest('base64url').slice(0, 24);
    return tell({
      user,
      key,
      message: (short, expires) => {
        const shown = short ? { title: 'A sign-in of yours has changed', body: '' } : words;
        return { kind: 'access', id: '', ...shown, expires, tag: topicOf(key) };
      },
      notice: {
        ...{ id: `nt_${id}`, user, ...words, at: new Date(at).toISOString() },
        access: { company: name, signal: event },
      },
    });
  };
}

/** How a home rings; what isn't said is as for a home of one's own. */
export interface PushOptions {
  /** What a lock screen may show: the order (`full`), or only that there is one. */
  readonly content?: PushContent;
  /** Whom a push service may write to where something is wrong: `mailto:…` or an https address. */
  readonly contact?: string;
  readonly notices?: PhoneNotices;
  /** When notices are sent beside pushes: where no push got through, or always. */
  readonly noticesWhen?: 'fallback' | 'always';
  /** Whether it tells what was filled; it does unless told not to. */
  readonly fills?: boolean;
  /** For tests: whether a push service may be on this machine. */
  readonly loopback?: boolean;
}

export interface PhonePush {
  /** base64url; the page subscribes with it. */
  readonly publicKey: string;
  readonly subscriptions: PushSubscriptions;
  readonly bell: Bell;
  /** Tells a person what was filled of an order of theirs. */
  tellFill(fill: Fill): Promise<void>;
  /** Tells a person about an order that they did not expect. */
  tellOrder(news: OrderNews): Promise<void>;
  /** Tells a person what their company's signal took back. */
  readonly tellSignalled: ReturnType<typeof createSignalTeller>;
  /** Tells a person what happened to how they get in. Whoever did it waits for nothing; what fails is the home's to hear. */
  tellAccount(event: AccountEvent): void;
}

const TIMEOUT_MS = 10_000;

/** All that rings, ringing. */
export function createPhonePush(
  parts: {
    readonly issuer: string;
    readonly database: Database;
    readonly requests: ApprovalRequests;
    /** The passkeys that people have now. */
    readonly keys: Pick<Keys, 'list'>;
    readonly clock: Clock;
    readonly closing: AbortSignal;
    /** As {@link IdentityProviderOptions} has them; `fetch` is used for push services on this machine alone. */
    readonly fetch: typeof fetch;
    readonly resolve?: ResolveHost | undefined;
    readonly onError: (message: string) => void;
    /** Whether a request's code is to be picked on the phone; none, where it is left out. */
    readonly hidesCode?: (request: ApprovalRequest) => boolean;
  },
  options: PushOptions = {},
): PhonePush {
  const { issuer, database, clock, closing } = parts;
  const { loopback = false, notices } = options;
  const vapid = loadVapidKeys(database);
  const subscriptions = openPushSubscriptions(database, clock, { loopback });
  // Whoever is signed in names these hosts, so the names are strangers' as well; but no stranger's name is waited for here.
  const resolve = parts.resolve ?? createPublicResolver({ mostAtOnce: 4, mostWaiting: 32 });
  const send = createPushSender({
    vapid,
    // RFC 8292 wants somebody to write to; a home on this machine alone has no address that others could.
    contact: options.contact ?? (issuer.startsWith('https:') ? issuer : 'mailto:home@trade-agent.invalid'),
    fetch: loopback ? parts.fetch : publicFetch(resolve),
    resolve,
    clock,
    closing,
    timeoutMs: TIMEOUT_MS,
    loopback,
  });
  const ringing = {
    ...parts,
    subscriptions,
    send,
    content: options.content ?? 'full',
    ...defined({ notices }),
    noticesWhen: options.noticesWhen ?? 'fallback',
  };
  const bell = createBell({ hidesCode: () => false, ...ringing, phone: `${issuer}/phone` });
  const tellFill = options.fills === false ? async () => undefined : createFillTeller(ringing);
  const tellOrder = createOrderTeller(ringing);
  const tellSignalled = createSignalTeller(ringing);
  const teller = createAccountTeller(ringing);
  const tellAccount = (event: AccountEvent) =>
    void teller(event).catch((error: Error) => {
      if (!closing.aborted) parts.onError(error.message);
    });
  return { publicKey: vapid.publicKey, subscriptions, bell, tellFill, tellOrder, tellSignalled, tellAccount };
}

/** Tells a person about an order that they did not expect, as {@link createTeller} does: at once, since they may want to act. */
function createOrderTeller(options: TellerOptions): (news: OrderNews) => Promise<void> {
  const tell = createTeller(options);
  return ({ user, key, title, body, at, facts }) => {
    const full = { title: safeLine(title, LONGEST_TITLE), body: safeLine(body, LONGEST_BODY) };
    const brief = { title: 'An order needs your attention', body: '' };
    const shown = options.content === 'short' ? brief : full;
    const id = createHash('sha256').update(`trade-agent.order\0${key}`).digest('base64url').slice(0, 24);
    return tell({
      ...{ user, key, isUrgent: true },
      message: (short, expires) => ({
        ...{ kind: 'order', id: '', expires, tag: topicOf(key) },
        ...(short ? brief : shown),
      }),
      notice: { ...{ id: `nt_${id}`, user, ...shown, at }, order: options.content === 'short' ? {} : facts },
    });
  };
}
