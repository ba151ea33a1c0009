import { createHash } from 'node:crypto';
import { type Clock, formatUtcSeconds } from '../../../machine/clock.ts';
import { failpoint } from '../../../machine/failpoint.ts';
import {
  createRequestNotificationStore,
  type RequestNotificationStore,
} from '../../../store/home/request-notification-store.ts';
import type { OtherProcesses } from '../../../store/other-processes.ts';
import type { SqlTransactions } from '../../../store/sql/sql-database.ts';
import { defined } from '../../../values/defined.ts';
import type { ApprovalRequest, ApprovalRequests } from '../../identity-provider/approval-requests.ts';
import type { PhoneNoticeSender } from './phone-notices.ts';
import {
  createApprovalNoticeText,
  createApprovalRequestMessage,
  createSettledRequestMessage,
  type LockScreenContent,
  pushTopic,
} from './push-message.ts';
import { type PushContext, type PushDelivery, pushToAllBrowsers } from './push-sender.ts';

export interface ApprovalNotifierOptions extends PushContext {
  readonly database: SqlTransactions;
  /** The other processes that use the database, if any. Only one of the processes sends each notification. */
  readonly others?: OtherProcesses | undefined;
  readonly requests: Pick<ApprovalRequests, 'find' | 'onAnyChange'>;
  /** Other notification channels. If absent, only pushes are sent. */
  readonly notices?: PhoneNoticeSender;
  /** When to also use `notices`: `always`, or only if no push was delivered (`fallback`). */
  readonly noticesWhen: 'fallback' | 'always';
  readonly content: LockScreenContent;
  /** Returns whether the person must choose a request's code on the phone. If so, no notification may reveal it. */
  readonly hidesCode: (request: ApprovalRequest) => boolean;
  readonly phone: string;
  readonly clock: Clock;
  readonly onError: (message: string) => void;
}

export type ApprovalNotifier = ReturnType<typeof createApprovalNotifier>;

/** Milliseconds until a reminder if nobody has seen a request. Limited to a third of the request's remaining time. */
const UNSEEN_MS = 60_000;
/** Time in milliseconds during which a push that withdraws an expired request can still be delivered. */
const SETTLED_TTL_MS = 10 * 60_000;
/** Maximum pause in milliseconds between two checks for due notifications, in case a change was missed. */
const MAX_CHECK_INTERVAL_MS = 10 * 60_000;
/** Replaces {@link MAX_CHECK_INTERVAL_MS} if another process could crash before it sends a notification. */
const SHARED_CHECK_INTERVAL_MS = 5_000;
const DEBOUNCE_MS = 20;
/** Pause before retrying after an internal error, in milliseconds. */
const RETRY_MS = 5000;

/**
 * Creates a notifier that runs in the background. It notifies a person of each request, reminds them once if nobody has
 * seen it, and withdraws the notification when the request is settled. The state is in the database, and each action is
 * recorded only after completion. A crash can therefore repeat a notification with the same tag, but never lose it.
 */
export function createApprovalNotifier(options: ApprovalNotifierOptions) {
  const { requests, clock, closing } = options;
  const table = createRequestNotificationStore(options.database, () => clock.now());
  let wake = new AbortController();
  const look = () => wake.abort();
  const complain = (error: unknown) => {
    if (!closing.aborted) options.onError(`push: ${error instanceof Error ? error.message : 'error'}`);
  };
  const { startDue, ended } = createDueWork(options, table, { look, complain });

  const run = async (): Promise<void> => {
    while (!closing.aborted) {
      // Created before the check, so that a change during the check triggers another check.
      wake = new AbortController();
      const next = await startDue().catch((error: unknown) => {
        complain(error);
        return RETRY_MS;
      });
      await clock.sleep(next, AbortSignal.any([wake.signal, closing])).catch(() => undefined);
      await clock.sleep(DEBOUNCE_MS, closing).catch(() => undefined);
    }
  };
  const unsubscribe = requests.onAnyChange(look);
  const ran = run().catch(complain).finally(unsubscribe);

  return {
    /**
     * Records that a page displays a request, so that the person isn't notified of it again.
     * @returns false if the request has ended, or isn't the user's
     */
    async seen(id: string, user: string): Promise<boolean> {
      const request = await requests.find(id);
      if (request?.user !== user || request.status !== 'pending') return false;
      await table.seen(id, clock.now());
      return true;
    },
    /** Resolves when no more notifications are being sent. Must be called after `closing` aborts. */
    stopped: async (): Promise<void> => {
      await ran;
      await ended();
    },
  };
}

function createDueWork(
  options: ApprovalNotifierOptions,
  table: RequestNotificationStore,
  { look, complain }: { readonly look: () => void; readonly complain: (error: unknown) => void },
) {
  const { requests, subscriptions, others, clock, closing } = options;
  const inProgress = new Map<string, Promise<void>>();

  /** Does the work unless another process has claimed it. @returns false if another process does the work */
  const claimAndDo = async (
    id: string,
    kind: Parameters<RequestNotificationStore['claim']>[1],
    work: (request: ApprovalRequest | undefined) => Promise<void>,
  ): Promise<boolean> => {
    const perform = async () => work(await requests.find(id));
    if (others === undefined) await perform();
    else if (await table.claim(id, kind)) await table.hold(id, perform);
    else return false;
    return true;
  };

  /** Runs at most one action at a time for each request. The next check finds any remaining work. */
  const start = (...[id, kind, work]: Parameters<typeof claimAndDo>) => {
    if (inProgress.has(id)) return;
    const done = claimAndDo(id, kind, work)
      .catch(async (error: unknown) => {
        complain(error);
        await clock.sleep(RETRY_MS, closing).catch(() => undefined);
        return true;
      })
      .then((isOurs) => {
        inProgress.delete(id);
        if (isOurs) look();
      });
    inProgress.set(id, done);
  };

  /**
   * IDs of requests that arrived when nobody could be notified. A phone that subscribes later shows these requests on
   * its page.
   */
  let quiet = new Set<string>();
  const startUnnotified = async (now: number): Promise<void> => {
    const stillQuiet = new Set<string>();
    for (const { request: id, user } of await table.unnotified(now)) {
      if (inProgress.has(id)) continue;
      const isQuiet = quiet.has(id) || (options.notices === undefined && (await subscriptions.of(user)).length === 0);
      if (isQuiet) stillQuiet.add(id);
      else start(id, 'notify', (request) => ring(options, table, request));
    }
    quiet = stillQuiet;
  };

  return {
    /** Starts the due work. @returns the time in milliseconds until the next call */
    async startDue(): Promise<number> {
      const now = clock.now();
      await startUnnotified(now);
      for (const { request: id, pushedAt } of await table.settled(now)) {
        start(id, 'withdraw', (request) => withdrawNotification(options, table, { id, pushedAt, request }));
      }
      const most = others === undefined ? MAX_CHECK_INTERVAL_MS : SHARED_CHECK_INTERVAL_MS;
      let next = Math.min(most, ((await table.nextExpiry(now)) ?? Number.POSITIVE_INFINITY) - now);
      for (const { request: id, due } of await table.unseen(now, UNSEEN_MS)) {
        if (due <= now) start(id, 'remind', (request) => ringAgain(options, table, request));
        else next = Math.min(next, due - now);
      }
      return next;
    },
    ended: async (): Promise<void> => {
      await Promise.all(inProgress.values());
    },
  };
}

async function ring(
  options: ApprovalNotifierOptions,
  table: RequestNotificationStore,
  request: ApprovalRequest | undefined,
): Promise<void> {
  // The request may have been settled since it was found to be due.
  if (request?.status !== 'pending') return;
  failpoint('push.due');
  const { notices, noticesWhen, closing, clock } = options;
  const sending = pushToAllBrowsers(options, request.user, askPush(options, request, false));
  if (notices !== undefined && noticesWhen === 'always') {
    await Promise.all([sending, notices.tell(toNotice(options, request), closing)]);
  } else if (!(await sending) && notices !== undefined && (await isPending(options, request))) {
    await notices.tell(toNotice(options, request), closing);
  }
  closing.throwIfAborted();
  failpoint('push.sent');
  await table.pushed(request.id, clock.now());
}

async function ringAgain(
  options: ApprovalNotifierOptions,
  table: RequestNotificationStore,
  request: ApprovalRequest | undefined,
): Promise<void> {
  if (request === undefined) return;
  await pushToAllBrowsers(options, request.user, askPush(options, request, true));
  options.closing.throwIfAborted();
  failpoint('push.sent_again');
  await table.pushedAgain(request.id, options.clock.now());
}

async function withdrawNotification(
  options: ApprovalNotifierOptions,
  table: RequestNotificationStore,
  { id, request, pushedAt }: { id: string; request: ApprovalRequest | undefined; pushedAt: number | undefined },
): Promise<void> {
  if (request !== undefined && pushedAt !== undefined) {
    const settled = {
      payload: () => JSON.stringify(createSettledRequestMessage(request)),
      topic: pushTopic(request.id),
      urgency: 'normal',
      until: Math.max(request.expiresAt, options.clock.now() + SETTLED_TTL_MS),
      wanted: async () => true,
    } as const;
    // A browser that subscribed later received no notification that could be withdrawn.
    await pushToAllBrowsers(options, request.user, settled, ({ createdAt }) => createdAt <= pushedAt);
    options.closing.throwIfAborted();
    failpoint('push.taken_back');
  }
  await table.remove(id);
}

function askPush(options: ApprovalNotifierOptions, request: ApprovalRequest, again: boolean): PushDelivery {
  return {
    payload: (short) =>
      JSON.stringify(
        createApprovalRequestMessage(withoutHiddenCode(options, request), short ? 'short' : options.content, again),
      ),
    topic: pushTopic(request.id),
    urgency: 'high',
    until: request.expiresAt,
    wanted: () => isPending(options, request),
  };
}

async function isPending({ requests }: ApprovalNotifierOptions, { id }: ApprovalRequest): Promise<boolean> {
  return (await requests.find(id))?.status === 'pending';
}

function withoutHiddenCode({ hidesCode }: ApprovalNotifierOptions, request: ApprovalRequest): ApprovalRequest {
  return hidesCode(request) ? { ...request, code: '' } : request;
}

function toNotice(options: ApprovalNotifierOptions, request: ApprovalRequest) {
  const { content, phone } = options;
  const { id, code, expiresAt, requestedAt, user } = withoutHiddenCode(options, request);
  const { title, body, order } = createApprovalNoticeText(withoutHiddenCode(options, request), content, phone);
  return {
    id: `nt_${createHash('sha256').update(`trade-agent.phone\0${id}`).digest('base64url').slice(0, 24)}`,
    user,
    title,
    body,
    at: new Date(requestedAt).toISOString(),
    approval: {
      id,
      ...(code === '' ? {} : { code }),
      expires_at: formatUtcSeconds(expiresAt),
      ...defined({ order }),
      phone,
    },
  };
}
