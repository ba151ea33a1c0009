import { withoutToken } from '../../approval/access.ts';
import type { ApprovalKernel } from '../../approval/kernel/kernel.ts';
import type { Clock } from '../../machine/clock.ts';
import type { JournalEntry, OrderJournal } from '../../store/order-journal.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { Order } from '../../trading/views.ts';
import type { OpenAccountOf } from '../broker/accounts.ts';
import { type Caller, callerOf } from '../door/caller.ts';
import { openOrders } from '../policy/order-world.ts';
import { MOST_DRIFT_MS } from './absence.ts';
import { nameOf } from './order-submission.ts';
import type { OrderDesk } from './place-order.ts';

/**
 * An open order with an id of this gateway that no proposal accounts for: the gateway has no record of it (a restored
 * backup, say), or recorded that it would not be placed. Its owner has to be told.
 */
export interface UnexplainedOrder {
  readonly sub: string;
  readonly account: string;
  readonly order: Order;
}

/** Milliseconds between looks. A sleep of the machine is noticed within this time. */
const TICK_MS = 30_000;
/** Between two rounds, milliseconds of awake time. */
const ROUND_MS = 24 * 60 * 60_000;
/** How long a written-off order is looked up, milliseconds. */
const REMEMBERED_MS = 30 * 24 * 60 * 60_000;
/** Until the next lookup, milliseconds; doubled each time. */
const WAITS_MS = { first: 5 * 60_000, longest: ROUND_MS } as const;
/** Until a failure is retried, milliseconds; doubled each time. */
const FAILED_WAITS_MS = { first: TICK_MS, longest: 60 * 60_000 } as const;
/** The client_order_id of a proposal's order, or of a batch's line (`subjectIdOf` in approval/kernel/propose.ts). */
const OWN_ID = /^(ta-[\w-]{24})(?:-\d+)?$/;

export interface ReconciliationOptions {
  readonly journal: Pick<OrderJournal, 'find' | 'unsent' | 'writtenOff' | 'accountsSince'>;
  readonly desk: Pick<OrderDesk, 'recheck' | 'abandon'>;
  readonly kernel: Pick<ApprovalKernel, 'pursueUnknown' | 'orderFound' | 'askerOf'>;
  readonly brokerFor: OpenAccountOf;
  /** Whether accounts can be opened while their owner is not signed in. Others wait for their owner. */
  readonly isUnattended: boolean;
  readonly clock: Clock;
  readonly report: (found: UnexplainedOrder) => void;
  readonly onError: (message: string) => void;
}

interface Account {
  readonly sub: string;
  readonly account: string;
}

/** Retried by the monotonic clock, or once the owner has another token. */
interface Due {
  readonly at: number;
  readonly wait: number;
  readonly failedWait: number;
  readonly triedWith: string | undefined;
}

/**
 * Compares the gateway's conclusions with the broker.
 *
 * - An order written off within the last 30 days is looked up at each start, after each sleep of the machine, and in between
 *   after five minutes, ten, twenty and so on up to a day. If it is found, it is adopted.
 * - At each start, after each sleep and every day, each open order with an id of this gateway must belong to a proposal that
 *   says so. If not, its owner is told.
 * - As often, unsupervised proposals of unknown outcome are asked about again, and expired orders that were never sent are
 *   given up.
 */
export function createReconciliation(options: ReconciliationOptions) {
  const { journal, desk, kernel, isUnattended, clock, onError } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const reported = new Set<string>();
  const report: ReconciliationOptions['report'] = (found) => {
    const name = JSON.stringify([found.sub, found.account, found.order.id]);
    if (reported.has(name)) return;
    reported.add(name);
    options.report(found);
  };
  let accounts = new Map<string, Account>();
  /** By account and by order; what is missing here is due. */
  let due = new Map<string, Due>();
  /** Orders found whose proposals say so, in this round. */
  const accounted = new Set<string>();
  let running = Promise.resolve();

  const failed = (error: unknown): void => {
    if (!signal.aborted) onError(error instanceof Error ? `${error.name}: ${error.message}` : 'unknown');
  };

  /** Does the work if it is due and the account can be opened, and schedules the next time. */
  const whenDue = async (
    key: string,
    sub: string,
    work: (caller: Caller) => Promise<void>,
  ): Promise<boolean> => {
    signal.throwIfAborted();
    const asker = kernel.askerOf(sub);
    const before = due.get(key);
    const triedWith = asker?.accessToken;
    const isDue = before === undefined || clock.monotonic() >= before.at || triedWith !== before.triedWith;
    if (!isDue || (asker === undefined && !isUnattended)) return false;
    const { wait, failedWait } = before ?? { wait: WAITS_MS.first, failedWait: FAILED_WAITS_MS.first };
    try {
      await work(callerOf(asker ?? withoutToken(sub)));
      const next = Math.min(wait * 2, WAITS_MS.longest);
      due.set(key, {
        at: clock.monotonic() + wait,
        wait: next,
        failedWait: FAILED_WAITS_MS.first,
        triedWith,
      });
      return true;
    } catch (error) {
      const next = Math.min(failedWait * 2, FAILED_WAITS_MS.longest);
      due.set(key, { at: clock.monotonic() + failedWait, wait, failedWait: next, triedWith });
      // Other work goes on. A refusal means that the broker is unreachable, or nothing opens the account now.
      if (!(error instanceof Refusal)) failed(error);
      return false;
    }
  };

  const beginRound = async (): Promise<void> => {
    const all = await journal.accountsSince(clock.now() - REMEMBERED_MS);
    accounts = new Map(all.map((one) => [JSON.stringify([one.sub, one.account]), one]));
    due = new Map();
    accounted.clear();
    await kernel.pursueUnknown();
    // A process may have died between the end of the proposal and the journal.
    for (const entry of await journal.unsent())
      if (Date.parse(entry.draft.expires_at) < clock.now()) await desk.abandon(entry);
  };

  const look = async (): Promise<void> => {
    for (const entry of await journal.writtenOff(clock.now() - REMEMBERED_MS)) {
      const key = `order ${nameOf(entry)}`;
      // Once a round: a process may have died before its proposal said so.
      if (accounted.has(key)) continue;
      const isLooked = await whenDue(key, entry.sub, (caller) =>
        recheckOne({ ...options, report }, caller, entry),
      );
      if (isLooked && entry.state === 'placed') accounted.add(key);
    }
    for (const [key, account] of accounts) {
      const isChecked = await whenDue(`account ${key}`, account.sub, (caller) =>
        checkOpen({ ...options, report }, caller, account),
      );
      if (isChecked) accounts.delete(key);
    }
  };

  return {
    start(): void {
      running = (async () => {
        let begunAt = Number.NEGATIVE_INFINITY;
        let before = clock.now() - clock.monotonic();
        while (!signal.aborted) {
          try {
            const drift = clock.now() - clock.monotonic();
            const isDue = clock.monotonic() - begunAt >= ROUND_MS || Math.abs(drift - before) > MOST_DRIFT_MS;
            if (isDue) {
              await beginRound();
              begunAt = clock.monotonic();
            }
            // Only now: a round that could not begin is still due at the next tick.
            before = drift;
            await look();
          } catch (error) {
            failed(error);
          }
          await clock.sleep(TICK_MS, signal).catch(() => undefined);
        }
      })();
    },
    async close(): Promise<void> {
      closing.abort();
      await running;
    },
  };
}

async function recheckOne(
  { desk, kernel, report }: ReconciliationOptions,
  caller: Caller,
  { sub, clientOrderId, draft: { account } }: JournalEntry,
): Promise<void> {
  const entry = await desk.recheck(caller, clientOrderId);
  if (entry?.order === undefined) return;
  const accounted = await kernel.orderFound(sub, subjectIdOf(clientOrderId));
  if (accounted === 'unexplained') report({ sub, account, order: entry.order });
}

async function checkOpen(
  { brokerFor, journal, desk, kernel, report }: ReconciliationOptions,
  caller: Caller,
  { sub, account }: Account,
): Promise<void> {
  const broker = await brokerFor(caller, account);
  for (const order of await openOrders(broker)) {
    const id = order.client_order_id;
    if (!OWN_ID.test(id)) continue;
    const known = await journal.find(sub, id);
    const entry = known?.state === 'rejected' ? await desk.recheck(caller, id) : known;
    // If it is still rejected, the order is not the approved one.
    const isOurs = entry !== undefined && entry.state !== 'rejected';
    if (isOurs && (await kernel.orderFound(sub, subjectIdOf(id))) === 'accounted') continue;
    report({ sub, account, order });
  }
}

/** A batch numbers its lines. */
function subjectIdOf(clientOrderId: string): string {
  return OWN_ID.exec(clientOrderId)?.[1] ?? clientOrderId;
}
