import { NO_TOKEN } from '../../approval/access.ts';
import type { ApprovalKernel } from '../../approval/kernel.ts';
import type { Clock } from '../../machine/clock.ts';
import type { OrderJournal } from '../../store/order-journal.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { Order } from '../../trading/views.ts';
import type { OpenAccountOf } from '../broker/accounts.ts';
import { openOrders } from '../policy/order-world.ts';
import { callerOf } from './order-ports.ts';
import type { OrderDesk } from './place-order.ts';
import type { UnexplainedOrder } from './unexplained-order.ts';

/** Between two looks at what is due, milliseconds. A sleep of the machine is noticed within this time. */
const TICK_MS = 30_000;
/** Before an account that could not be reconciled is tried again, milliseconds; twice as long each time, up to the last. */
const RETRY_MS = { first: 60_000, longest: 60 * 60_000 } as const;
/** Between two rounds, milliseconds of awake time. */
const ROUND_MS = 24 * 60 * 60_000;
/** An order that was written off is looked up for so long, milliseconds. */
const REMEMBERED_MS = 30 * 24 * 60 * 60_000;
/** A larger jump between the wall clock and the monotonic clock means that the machine slept, or that a clock was set. */
const MOST_DRIFT_MS = 2_000;
/** The client_order_id of a proposal's order, or of one line of a batch (`subjectIdOf` in approval/code.ts). */
const OWN_ID = /^(ta-[\w-]{24})(?:-\d+)?$/;

export interface ReconciliationOptions {
  readonly journal: Pick<OrderJournal, 'find' | 'writtenOff' | 'accountsSince'>;
  readonly desk: Pick<OrderDesk, 'recheck'>;
  readonly kernel: Pick<ApprovalKernel, 'pursueUnknown' | 'orderFound' | 'askerOf'>;
  readonly brokerFor: OpenAccountOf;
  /** Whether accounts can be opened without a session of their owner's. Others are reconciled once their owner comes by. */
  readonly isUnattended: boolean;
  readonly clock: Clock;
  readonly report: (found: UnexplainedOrder) => void;
  /** Told of what went wrong inside. */
  readonly onError: (message: string) => void;
}

interface Account {
  readonly sub: string;
  readonly account: string;
}

/** An account that is to be reconciled. */
interface Due extends Account {
  /** When it is tried again, by the monotonic clock; at once where its owner has come by with another token since. */
  at: number;
  waits: number;
  triedWith: string | undefined;
}

/**
 * Holds what the gateway concluded against what the broker has: at each start, after each sleep of the machine, and every day.
 *
 * - Every order that was written off within the last 30 days is looked up again. A hit is adopted.
 * - Every open order at the broker that bears an id of this gateway must belong to a proposal that says so. One that does not is
 *   reported to its owner.
 * - Proposals of unknown outcome that nobody supervises are asked about again.
 */
export function createReconciliation(options: ReconciliationOptions) {
  const { journal, kernel, isUnattended, clock, onError } = options;
  const closing = new AbortController();
  const { signal } = closing;
  /** Unexplained orders that were reported by this process. */
  const reported = new Set<string>();
  let due = new Map<string, Due>();
  let running = Promise.resolve();

  const failed = (error: unknown): void => {
    if (!signal.aborted) onError(error instanceof Error ? `${error.name}: ${error.message}` : 'unknown');
  };

  const begin = async (): Promise<void> => {
    const accounts = await journal.accountsSince(clock.now() - REMEMBERED_MS);
    const fresh = { at: Number.NEGATIVE_INFINITY, waits: RETRY_MS.first, triedWith: undefined };
    due = new Map(accounts.map((one) => [JSON.stringify([one.sub, one.account]), { ...one, ...fresh }]));
    await kernel.pursueUnknown();
  };

  const reconcileDue = async (): Promise<void> => {
    const writtenOff = due.size === 0 ? [] : await journal.writtenOff(clock.now() - REMEMBERED_MS);
    for (const [key, whose] of due) {
      signal.throwIfAborted();
      const asker = kernel.askerOf(whose.sub);
      const isNews = asker?.accessToken !== whose.triedWith;
      if ((asker === undefined && !isUnattended) || (clock.monotonic() < whose.at && !isNews)) continue;
      const caller = callerOf(asker ?? { sub: whose.sub, clientId: '', accessToken: NO_TOKEN });
      const ids = writtenOff.filter(({ sub, draft }) => sub === whose.sub && draft.account === whose.account);
      try {
        for (const { clientOrderId } of ids) await recheckOne(options, caller, whose, clientOrderId);
        await checkOpen(options, caller, whose, reported);
        due.delete(key);
      } catch (error) {
        // The broker is out of reach, or nothing opens the account at the moment.
        if (!(error instanceof Refusal)) throw error;
        whose.triedWith = asker?.accessToken;
        whose.at = clock.monotonic() + whose.waits;
        whose.waits = Math.min(whose.waits * 2, RETRY_MS.longest);
      }
    }
  };

  return {
    start(): void {
      running = (async () => {
        let begunAt = Number.NEGATIVE_INFINITY;
        let drift = 0;
        while (!signal.aborted) {
          try {
            const before = drift;
            drift = clock.now() - clock.monotonic();
            const isDue = clock.monotonic() - begunAt >= ROUND_MS || Math.abs(drift - before) > MOST_DRIFT_MS;
            if (isDue) {
              await begin();
              begunAt = clock.monotonic();
            }
            await reconcileDue();
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

type Caller = Parameters<OrderDesk['recheck']>[0];

/** One that was written off: adopted where the broker has it, also where a process died before its proposal said so. */
async function recheckOne(
  { desk, kernel, report }: ReconciliationOptions,
  caller: Caller,
  { sub, account }: Account,
  clientOrderId: string,
): Promise<void> {
  const entry = await desk.recheck(caller, clientOrderId);
  if (entry?.order === undefined) return;
  const accounted = await kernel.orderFound(sub, subjectIdOf(clientOrderId));
  if (accounted === 'unexplained') report({ sub, account, order: entry.order });
}

/** Every open order of this gateway's at the broker belongs to a proposal that says so. */
async function checkOpen(
  options: ReconciliationOptions,
  caller: Caller,
  { sub, account }: Account,
  reported: Set<string>,
): Promise<void> {
  const { brokerFor, journal, desk, kernel, report } = options;
  const broker = await brokerFor(caller, account);
  const unexplained = (order: Order) => {
    if (reported.has(order.id)) return;
    reported.add(order.id);
    report({ sub, account, order });
  };
  for (const order of await openOrders(broker)) {
    const id = order.client_order_id;
    if (!OWN_ID.test(id)) continue;
    const entry = await journal.find(sub, id);
    if (entry === undefined) {
      unexplained(order);
      continue;
    }
    if (entry.state === 'rejected') await desk.recheck(caller, id);
    if ((await kernel.orderFound(sub, subjectIdOf(id))) === 'unexplained') unexplained(order);
  }
}

/** Of the proposal that an order is of: a batch's lines are numbered. */
function subjectIdOf(clientOrderId: string): string {
  return OWN_ID.exec(clientOrderId)?.[1] ?? clientOrderId;
}
