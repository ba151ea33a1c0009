import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Keys } from '../../../approval/keys/keys.ts';
import type { Clock } from '../../../machine/clock.ts';
import { publicFetch } from '../../../net/public-fetch.ts';
import { createPublicResolver } from '../../../net/public-resolver.ts';
import type { ResolveHost } from '../../../net/resolve-host.ts';
import { loadVapidKeys } from '../../../store/home/vapid-keys.ts';
import { defined } from '../../../values/defined.ts';
import type { ApprovalRequest, ApprovalRequests } from '../../identity-provider/approval-requests.ts';
import type { AccountEvent } from '../page/browser.ts';
import { createBell } from './bell.ts';
import type { PhoneNotices } from './phone-notices.ts';
import type { PushContent } from './push-message.ts';
import { createPushSender } from './push-sender.ts';
import { openPushSubscriptions } from './push-subscriptions.ts';
import { createTellers } from './teller.ts';

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

export type PhonePush = ReturnType<typeof createPhonePush>;

const TIMEOUT_MS = 10_000;

export function createPhonePush(
  parts: {
    readonly issuer: string;
    readonly database: Database;
    readonly requests: ApprovalRequests;
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
) {
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
  const tell = createTellers(ringing);
  /** Reports what fails to the home: whoever caused the event waits for nothing. */
  const tellAccount = (event: AccountEvent) =>
    void tell.account(event).catch((error: Error) => {
      if (!closing.aborted) parts.onError(error.message);
    });
  return {
    /** base64url; the page subscribes with it. */
    publicKey: vapid.publicKey,
    subscriptions,
    bell,
    tellFill: options.fills === false ? async () => undefined : tell.fill,
    tellOrder: tell.order,
    tellSignalled: tell.signalled,
    tellAccount,
  };
}
