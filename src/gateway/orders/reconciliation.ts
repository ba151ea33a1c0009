import { proposerWithoutToken } from '../../approval/access.ts';
import type { ApprovalKernel } from '../../approval/kernel/kernel.ts';
import type { Clock } from '../../machine/clock.ts';
import type { OrderJournal, OrderJournalEntry } from '../../store/order-journal.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import type { Order } from '../../trading/views.ts';
import { type Caller, toCaller } from '../auth/caller.ts';
import type { OpenAccountFor } from '../broker/accounts.ts';
import { readOpenOrders } from '../policy/order-world.ts';
import { MAX_CLOCK_DRIFT_MS } from './absence.ts';
import { orderEntryKey } from './order-submission.ts';
import type { OrderService } from './place-order.ts';

/**
 * An open order whose client_order_id looks like this gateway's, but that no proposal accounts for. The gateway has no
 * record of the order (for example, after a backup was restored), or recorded it as not placed. The owner has to be
 * notified.
 */
export interface UnexplainedOrder {
  readonly sub: string;
  readonly account: string;
  readonly order: Order;
}

/** Milliseconds between checks, and the maximum delay until a sleep of the machine is noticed. */
const CHECK_INTERVAL_MS = 30_000;
/** Time between two rounds of checks while the machine is awake, in milliseconds. */
const ROUND_INTERVAL_MS = 24 * 60 * 60_000;
/** How long an order is still looked up after it was written off, in milliseconds. */
const WRITTEN_OFF_RETENTION_MS = 30 * 24 * 60 * 60_000;
/** Delay until the next lookup, in milliseconds. Doubles each time. */
const LOOKUP_DELAYS_MS = { first: 5 * 60_000, longest: ROUND_INTERVAL_MS } as const;
/** Delay before a failed lookup is retried, in milliseconds. Doubles each time. */
const RETRY_DELAYS_MS = { first: CHECK_INTERVAL_MS, longest: 60 * 60_000 } as const;
/** Matches the client_order_id of a proposal's order, or of one order in a batch (approval/kernel/propose.ts). */
const OWN_ID = /^(ta-[\w-]{24})(?:-\d+)?$/;

export interface ReconciliationOptions {
  readonly journal: Pick<OrderJournal, 'find' | 'unsent' | 'writtenOff' | 'accountsSince'>;
  readonly orderService: Pick<OrderService, 'recheck' | 'abandon'>;
  readonly kernel: Pick<ApprovalKernel, 'resumeUnknown' | 'reconcileOrder' | 'latestSession'>;
  readonly brokerFor: OpenAccountFor;
  /** Whether accounts can be opened while their owner is not signed in. If not, checks wait for the next sign-in. */
  readonly isUnattended: boolean;
  readonly clock: Clock;
  readonly report: (found: UnexplainedOrder) => void;
  readonly onError: (message: string) => void;
}

interface Account {
  readonly sub: string;
  readonly account: string;
}

/** When an account or order is due again: at a monotonic time, or as soon as the owner has another token. */
interface Due {
  readonly at: number;
  readonly wait: number;
  readonly failedWait: number;
  readonly triedWith: string | undefined;
}

/**
 * Compares what the gateway recorded with what the broker reports.
 *
 * - An order written off within the last 30 days is looked up at each start and after each sleep of the machine. In
 *   between, the interval grows from 5 minutes to a day. If the broker has the order, it is recorded as placed.
 * - At each start, after each sleep and daily, each open order with an ID of this gateway must belong to a proposal
 *   that accounts for it. If not, the owner is notified.
 * - At the same times, the outcomes of unsupervised proposals are queried again, and expired orders that were never
 *   sent are given up.
 */
export function createReconciliation(options: ReconciliationOptions) {
  const { journal, orderService: desk, kernel, isUnattended, clock, onError } = options;
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
  /** The next attempt for each account and order. An account or order that is not in this map is due now. */
  let due = new Map<string, Due>();
  /** Orders in this round that are known to belong to a proposal. */
  const accounted = new Set<string>();
  let running = Promise.resolve();

  const failed = (error: unknown): void => {
    if (!signal.aborted) onError(error instanceof Error ? `${error.name}: ${error.message}` : 'unknown');
  };

  /** Runs `work` if it is due and the account can be opened, and schedules the next attempt. */
  const whenDue = async (key: string, sub: string, work: (caller: Caller) => Promise<void>): Promise<boolean> => {
    signal.throwIfAborted();
    const proposer = kernel.latestSession(sub);
    const before = due.get(key);
    const triedWith = proposer?.accessToken;
    const isDue = before === undefined || clock.monotonic() >= before.at || triedWith !== before.triedWith;
    if (!isDue || (proposer === undefined && !isUnattended)) return false;
    const { wait, failedWait } = before ?? {
      wait: LOOKUP_DELAYS_MS.first,
      failedWait: RETRY_DELAYS_MS.first,
    };
    try {
      await work(toCaller(proposer ?? proposerWithoutToken(sub)));
      const next = Math.min(wait * 2, LOOKUP_DELAYS_MS.longest);
      due.set(key, {
        at: clock.monotonic() + wait,
        wait: next,
        failedWait: RETRY_DELAYS_MS.first,
        triedWith,
      });
      return true;
    } catch (error) {
      const next = Math.min(failedWait * 2, RETRY_DELAYS_MS.longest);
      due.set(key, { at: clock.monotonic() + failedWait, wait, failedWait: next, triedWith });
      // Ignores HTTP problems: the broker can't be reached, or the account can't be opened now. Other attempts
      // continue.
      if (!(error instanceof HttpProblem)) failed(error);
      return false;
    }
  };

  const beginRound = async (): Promise<void> => {
    const all = await journal.accountsSince(clock.now() - WRITTEN_OFF_RETENTION_MS);
    accounts = new Map(all.map((one) => [JSON.stringify([one.sub, one.account]), one]));
    due = new Map();
    accounted.clear();
    await kernel.resumeUnknown();
    // A process may have died after the order's proposal ended and before it recorded that in the journal.
    for (const entry of await journal.unsent())
      if (Date.parse(entry.draft.expires_at) < clock.now()) await desk.abandon(entry);
  };

  const look = async (): Promise<void> => {
    for (const entry of await journal.writtenOff(clock.now() - WRITTEN_OFF_RETENTION_MS)) {
      const key = `order ${orderEntryKey(entry)}`;
      // An order recorded as placed is checked once a round: a process may have died before it updated the proposal.
      if (accounted.has(key)) continue;
      const isLooked = await whenDue(key, entry.sub, (caller) => recheckOrder({ ...options, report }, caller, entry));
      if (isLooked && entry.state === 'placed') accounted.add(key);
    }
    for (const [key, account] of accounts) {
      const isChecked = await whenDue(`account ${key}`, account.sub, (caller) =>
        checkOpenOrders({ ...options, report }, caller, account),
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
            const isDue =
              clock.monotonic() - begunAt >= ROUND_INTERVAL_MS || Math.abs(drift - before) > MAX_CLOCK_DRIFT_MS;
            if (isDue) {
              await beginRound();
              begunAt = clock.monotonic();
            }
            // Set only after the round has begun, so that a round that failed to begin is due again at the next check.
            before = drift;
            await look();
          } catch (error) {
            failed(error);
          }
          await clock.sleep(CHECK_INTERVAL_MS, signal).catch(() => undefined);
        }
      })();
    },
    async close(): Promise<void> {
      closing.abort();
      await running;
    },
  };
}

async function recheckOrder(
  { orderService: desk, kernel, report }: ReconciliationOptions,
  caller: Caller,
  { sub, clientOrderId, draft: { account } }: OrderJournalEntry,
): Promise<void> {
  const entry = await desk.recheck(caller, clientOrderId);
  if (entry?.order === undefined) return;
  const accounted = await kernel.reconcileOrder(sub, subjectId(clientOrderId));
  if (accounted === 'unexplained') report({ sub, account, order: entry.order });
}

async function checkOpenOrders(
  { brokerFor, journal, orderService: desk, kernel, report }: ReconciliationOptions,
  caller: Caller,
  { sub, account }: Account,
): Promise<void> {
  const broker = await brokerFor(caller, account);
  for (const order of await readOpenOrders(broker)) {
    const id = order.client_order_id;
    if (!OWN_ID.test(id)) continue;
    const known = await journal.find(sub, id);
    const entry = known?.state === 'rejected' ? await desk.recheck(caller, id) : known;
    // If the journal still says `rejected`, the order at the broker is not the approved order.
    const isOurs = entry !== undefined && entry.state !== 'rejected';
    if (isOurs && (await kernel.reconcileOrder(sub, subjectId(id))) === 'accounted') continue;
    report({ sub, account, order });
  }
}

/** Returns a proposal's subject ID: the client_order_id without the line number that a batch adds. */
function subjectId(clientOrderId: string): string {
  return OWN_ID.exec(clientOrderId)?.[1] ?? clientOrderId;
}
