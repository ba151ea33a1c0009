import type { PushSubscription as WebPushSubscription } from 'web-push';
import type { ApprovalKeys } from '../../../approval/keys/approval-keys.ts';
import type { Clock } from '../../../machine/clock.ts';
import { createBoundedFetch } from '../../../net/bounded-fetch.ts';
import { parseRetryAfterMs } from '../../../net/retry-after.ts';
import type { VapidKeys } from '../../../store/home/vapid-keys.ts';
import type { PushSubscription, PushSubscriptions } from './push-subscriptions.ts';

type PushResult =
  | { readonly outcome: 'sent' }
  /** The browser has unsubscribed (RFC 8030 §7.3). */
  | { readonly outcome: 'gone' }
  /** @property restsUntil time until which the push service accepts no push, in milliseconds since the epoch */
  | { readonly outcome: 'failed'; readonly restsUntil: number }
  /** The push is no longer needed, or its deadline has passed. */
  | { readonly outcome: 'over' };

export interface PushDelivery {
  payload(short: boolean): string;
  readonly topic: string;
  readonly urgency: 'high' | 'normal';
  /** The time after which the push is useless, in milliseconds since the epoch. */
  readonly until: number;
  readonly wanted: () => Promise<boolean>;
}

type SendPush = (subscription: PushSubscription, push: PushDelivery) => Promise<PushResult>;

interface PushSenderOptions {
  readonly vapid: VapidKeys;
  /** Address at which push services can report problems: `mailto:…` or an https address (RFC 8292 §2.1). */
  readonly contact: string;
  /** A fetch that reaches only the public internet, so that a browser can't direct requests to the home's network. */
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly closing: AbortSignal;
  readonly timeoutMs: number;
}

/** Pauses in milliseconds before the second and the third (last) attempt. */
const BACKOFF_MS = [1000, 5000] as const;
/** Maximum wait in milliseconds. If the push service requires more, the push fails, and other channels are used. */
const MAX_WAIT_MS = 30_000;
const MAX_REST_MS = 3_600_000;
/** Limit for response bodies, which are ignored. */
const MAX_RESPONSE_BYTES = 16 * 1024;

/** Creates a sender of push messages, encrypted for the receiving browser (RFC 8291), with the library `web-push`. */
export function createPushSender(options: PushSenderOptions): SendPush {
  const { clock, closing } = options;
  /** Waits until the push service accepts pushes again. @returns the result if the push can't or need not be sent */
  const standBy = async (push: PushDelivery, restsUntil: number): Promise<PushResult | undefined> => {
    const wait = restsUntil - clock.now();
    if (wait > MAX_WAIT_MS) return { outcome: 'failed', restsUntil };
    if (wait > 0) await clock.sleep(wait, closing);
    return (await push.wanted()) && push.until > clock.now() ? undefined : { outcome: 'over' };
  };
  const restUntil = (ms: number) => (ms > 0 ? clock.now() + Math.min(ms, MAX_REST_MS) : 0);
  return async (subscription, push) => {
    let short = false;
    let { restsUntil } = subscription;
    for (let attempt = 1; ; attempt++) {
      const over = await standBy(push, restsUntil);
      if (over !== undefined) return over;
      const answer = await attemptPush(subscription, push, short, options);
      if (typeof answer === 'string') return { outcome: answer };
      closing.throwIfAborted();
      const { retryAfter, tooLarge, passing } = answer;
      const backoff = BACKOFF_MS[attempt - 1];
      if (!passing || backoff === undefined) return { outcome: 'failed', restsUntil: restUntil(retryAfter) };
      restsUntil = restUntil(Math.max(retryAfter, backoff));
      short ||= tooLarge;
    }
  };
}

interface PushFailure {
  /** Whether the failure may be temporary, so that another attempt may succeed. */
  readonly passing: boolean;
  readonly tooLarge: boolean;
  /** Delay in milliseconds that the push service requires. 0 if there is none. */
  readonly retryAfter: number;
}

async function attemptPush(
  subscription: PushSubscription,
  push: PushDelivery,
  short: boolean,
  options: PushSenderOptions,
): Promise<'sent' | 'gone' | PushFailure> {
  const { clock, closing, timeoutMs } = options;
  const { endpoint } = subscription;
  try {
    const { method, headers, body } = await buildRequest(subscription, push, short, options);
    const send = createBoundedFetch(options.fetch, MAX_RESPONSE_BYTES);
    const response = await send(endpoint, {
      method,
      headers,
      body,
      redirect: 'manual',
      signal: AbortSignal.any([closing, AbortSignal.timeout(timeoutMs)]),
    });
    await response.body?.cancel();
    return toPushResult(response, clock.now());
  } catch {
    // The service was unreachable, responded too late, or sent an invalid response.
    return { passing: true, tooLarge: false, retryAfter: 0 };
  }
}

function toPushResult({ status, headers }: Response, now: number): 'sent' | 'gone' | PushFailure {
  if (status >= 200 && status < 300) return 'sent';
  if (status === 404 || status === 410) return 'gone';
  const passing = status >= 500 || [408, 413, 425, 429].includes(status);
  const retryAfter = passing ? (parseRetryAfterMs(headers.get('retry-after'), now) ?? 0) : 0;
  return { passing, tooLarge: status === 413, retryAfter };
}

/** Builds the request with the library (RFC 8030 §5, RFC 8188, RFC 8291 and RFC 8292). */
async function buildRequest(
  { endpoint, p256dh, auth }: PushSubscription,
  { payload, topic, urgency, until }: PushDelivery,
  short: boolean,
  { vapid, contact, clock }: PushSenderOptions,
): Promise<{ method: string; headers: Record<string, string>; body: Uint8Array<ArrayBuffer> }> {
  const { default: webPush } = await import('web-push');
  const subscription: WebPushSubscription = { endpoint, keys: { p256dh, auth } };
  const made = webPush.generateRequestDetails(subscription, payload(short), {
    TTL: Math.max(1, Math.ceil((until - clock.now()) / 1000)),
    contentEncoding: 'aes128gcm',
    urgency,
    topic,
  });
  const { publicKey, privateKey } = vapid;
  // Creates the VAPID headers here, because the library would parse the audience with the deprecated `url.parse`.
  const proof = webPush.getVapidHeaders(new URL(endpoint).origin, contact, publicKey, privateKey, 'aes128gcm');
  const headers = Object.entries({ ...made.headers, ...proof }).filter(
    ([name]) => name.toLowerCase() !== 'content-length',
  );
  return {
    method: made.method,
    headers: Object.fromEntries(headers.map(([name, value]) => [name, String(value)])),
    body: new Uint8Array(made.body),
  };
}

export interface PushContext {
  readonly subscriptions: PushSubscriptions;
  readonly keys: Pick<ApprovalKeys, 'list'>;
  readonly send: SendPush;
  readonly closing: AbortSignal;
}

/** Pushes to a person's browsers. @returns whether the push was sent to at least one browser */
export async function pushToAllBrowsers(
  options: PushContext,
  user: string,
  push: PushDelivery,
  concerns: (subscription: PushSubscription) => boolean = () => true,
): Promise<boolean> {
  const { subscriptions, send, closing } = options;
  const ringing = (await activeSubscriptions(user, options)).filter(concerns);
  const reached = await Promise.all(
    ringing.map(async (subscription) => {
      const result = await send(subscription, push);
      if (closing.aborted) return false;
      if (result.outcome === 'sent') await subscriptions.rang(subscription.endpoint);
      if (result.outcome === 'gone') await subscriptions.remove(subscription.endpoint);
      if (result.outcome === 'failed') await subscriptions.failed(subscription.endpoint, result.restsUntil);
      return result.outcome === 'sent';
    }),
  );
  return reached.includes(true);
}

/** Returns a person's subscriptions. Deletes subscriptions whose passkey another process has removed. */
async function activeSubscriptions(
  user: string,
  { subscriptions, keys, closing }: PushContext,
): Promise<PushSubscription[]> {
  const all = await subscriptions.of(user);
  if (all.length === 0) return [];
  const enrolled = new Set((await keys.list(user)).map(({ credentialId }) => credentialId));
  closing.throwIfAborted();
  const ended = all.filter(({ credential }) => !enrolled.has(credential));
  for (const { credential } of ended) await subscriptions.endKey(user, credential);
  return all.filter((one) => !ended.includes(one));
}
