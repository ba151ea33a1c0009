import { NO_TOKEN } from '../../approval/access.ts';
import type { ApprovalKernel } from '../../approval/kernel/kernel.ts';
import type { Clock } from '../../machine/clock.ts';
import type { MandateStore } from '../../store/mandate-store.ts';
import type { StoredProposal } from '../../store/proposal-store.ts';
import type { StandingOrder, StandingOrderStep, StandingOrderStore } from '../../store/standing-order-store.ts';
import { Dec } from '../../trading/decimal.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { firstPlaceableDueTime, isDueNow, nextDueTime } from '../../trading/mandate/due-times.ts';
import type { MandateEnvelope } from '../../trading/mandate/envelope.ts';
import type { StandingOrderState } from '../../trading/mandate/mandate.ts';
import { effectiveMandateState } from '../../trading/mandate/mandate-state.ts';
import {
  GATEWAY_THUMBPRINT_PLACEHOLDER,
  isRecurring,
  type PriceTrigger,
  type RecurringTime,
  type StandingOrderTerms,
  toOrderRequest,
} from '../../trading/mandate/standing-order.ts';
import { symbolMarketClock } from '../../trading/market-open.ts';
import { newYorkMidnight } from '../../trading/new-york-time.ts';
import type { ProposalRequest } from '../../trading/proposal.ts';
import type { Quote } from '../../trading/views.ts';
import type { OpenAccountFor } from '../broker/accounts.ts';

/** Maximum age of a quote, in milliseconds. An older quote says nothing about the current price. */
const MAX_QUOTE_AGE_MS = 120_000;

/**
 * Returns whether the price has crossed the trigger. The far side of the spread decides (`below`: the ask, `above`: the
 * bid), so that neither an unusual trade nor a wide spread triggers the order. If the far side has no quote, the price
 * of the last trade decides.
 * @param now the market's time, in milliseconds since the epoch
 */
function isCrossed({ price, at }: PriceTrigger, { bid, ask, last, at: quotedAt }: Quote, now: number): boolean {
  if (Math.abs(now - Date.parse(quotedAt)) > MAX_QUOTE_AGE_MS) return false;
  const far = price === 'below' ? ask : bid;
  const value = new Dec(far).gt(0) ? new Dec(far) : new Dec(last);
  if (!value.gt(0)) return false;
  return price === 'below' ? value.lt(at) : value.gt(at);
}

/** Milliseconds between checks. */
export const STANDING_ORDER_CHECK_INTERVAL_MS = 15_000;
/** Delay before an order that could not be placed is retried, in milliseconds. */
const RETRY_DELAY_MS = 60_000;

interface StandingWatchOptions {
  readonly standing: StandingOrderStore;
  readonly mandates: Pick<MandateStore, 'find'>;
  readonly kernel: Pick<ApprovalKernel, 'propose' | 'noted'>;
  readonly brokerFor: OpenAccountFor;
  readonly clock: Clock;
  readonly onError?: (message: string) => void;
}

interface Watched {
  readonly order: StandingOrder;
  readonly terms: MandateEnvelope & { readonly standing: StandingOrderTerms };
}

/*
 * Watches the clock and prices, and proposes the standing orders that are due. Each due time results in one order, even
 * after crashes and if several gateways watch, because:
 *
 *  1. A due order is proposed under a key made of its mandate and due time (`idempotencyKey`). A process that crashed
 *     after proposing therefore gets the same proposal again. It has one client_order_id, which the broker accepts
 *     once.
 *  2. The row of the standing order advances to the next due time only after that, and only if the row still has the
 *     due time that was read. A crash in between therefore loses no order.
 *  3. The mandate's slot (a day) and `max_orders` are checked in the transaction that claims the order.
 *
 * Rules, halts and limits apply as to any order under a mandate. If an order is rejected, the rejection is recorded,
 * and the standing order continues at its next due time. If an error is not about the order (the broker is busy, the
 * market has just closed), the proposal is retried.
 */
export function createStandingOrderWatcher(options: StandingWatchOptions) {
  const { clock, onError = (message) => process.stderr.write(`gateway: ${message}\n`) } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const failed = (error: unknown): void =>
    onError(error instanceof Error ? `${error.name}: ${error.message}` : 'unknown');
  /** When each standing order that could not be proposed may be retried, in milliseconds since the epoch. */
  const resting = new Map<string, number>();
  let running = Promise.resolve();

  const look = async (): Promise<void> => {
    const byAccount = new Map<string, Watched[]>();
    for (const order of await options.standing.watched()) {
      const found = await advanceMissed(options, order);
      if (found === undefined) continue;
      const key = JSON.stringify([order.sub, found.terms.account]);
      byAccount.set(key, [...(byAccount.get(key) ?? []), found]);
    }
    for (const [first, ...others] of byAccount.values()) {
      signal.throwIfAborted();
      if (first === undefined) continue;
      const { order, terms } = first;
      const whose = { sub: order.sub, account: terms.account };
      await checkAccount(options, { ...whose, watched: [first, ...others], resting }).catch((error: unknown) => {
        // An HttpProblem is not reported: the broker may be unreachable, for example, and the next check may succeed.
        if (!(error instanceof HttpProblem)) failed(error);
      });
    }
  };

  return {
    look,
    start(): void {
      running = (async () => {
        while (!signal.aborted) {
          await look().catch((error: unknown) => {
            if (!signal.aborted) failed(error);
          });
          await clock.sleep(STANDING_ORDER_CHECK_INTERVAL_MS, signal).catch(() => undefined);
        }
      })();
    },
    async close(): Promise<void> {
      closing.abort();
      await running;
    },
  };
}

/** Skips due times that were missed, and records them as missed. Ends a standing order whose mandate has ended. */
async function advanceMissed(options: StandingWatchOptions, order: StandingOrder): Promise<Watched | undefined> {
  const { standing, mandates, kernel, clock } = options;
  const now = clock.now();
  const found = await mandates.find(order.sub, order.mandate, { since: newYorkMidnight(now) });
  const state = found === undefined ? 'revoked' : effectiveMandateState(found, now);
  const watched = found?.terms.standing;
  // An exhausted mandate stays watched, because an unsettled order may still return its share of the budget. A standing
  // order at a price is not watched any longer, because it is placed only once.
  const isOpen = state === 'active' || (state === 'exhausted' && order.dueAt !== null);
  if (found === undefined || watched === undefined || !isOpen) {
    await endWatch(options, order, state, now);
    return undefined;
  }
  const terms = { ...found.terms, standing: watched };
  const { when } = watched;
  if (state === 'exhausted' || now < Date.parse(terms.not_before)) return undefined;
  if (!isRecurring(when) || order.dueAt === null) return { order, terms };
  const dueAt = firstPlaceableDueTime(when, order.dueAt, now);
  if (dueAt === order.dueAt) return { order, terms };
  const last = { outcome: 'missed', at: instant(now), text: missedText } as const;
  const next: StandingOrderStep = { dueAt, state: 'watching', last, event: 'standing_missed' };
  if (!(await standing.step(order, next, now))) return undefined;
  kernel.noted();
  return { order: { ...order, ...next }, terms };
}

async function endWatch(
  { standing, kernel }: StandingWatchOptions,
  order: StandingOrder,
  mandate: ReturnType<typeof effectiveMandateState>,
  now: number,
): Promise<void> {
  const ended = { outcome: 'ended', at: instant(now), text: `the mandate is ${mandate}` } as const;
  const next: StandingOrderStep = {
    dueAt: order.dueAt,
    state: mandate === 'expired' || mandate === 'exhausted' ? 'done' : 'stopped',
    last: order.last ?? ended,
    event: 'standing_ended',
  };
  if (await standing.step(order, next, now)) kernel.noted();
}

const missedText = 'the market was closed or the gateway was not running until the next due time';

/** Checks the standing orders of one account. Reads the market clock and all needed quotes only once. */
async function checkAccount(
  options: StandingWatchOptions,
  parts: {
    readonly sub: string;
    readonly account: string;
    readonly watched: readonly Watched[];
    readonly resting: Map<string, number>;
  },
): Promise<void> {
  const { brokerFor, clock } = options;
  const { sub, account, resting } = parts;
  const now = clock.now();
  const watched = parts.watched.filter(
    ({ order: { mandate, dueAt } }) =>
      (dueAt === null || dueAt <= now) && (resting.get(restingKey(sub, mandate)) ?? 0) <= now,
  );
  if (watched.length === 0) return;
  const broker = await brokerFor({ sub, accessToken: NO_TOKEN }, account);
  const market = await broker.clock();
  const open = watched.filter(({ terms }) => symbolMarketClock(terms.standing.order.symbol, market).is_open);
  if (open.length === 0) return;
  const priced = open.filter(({ terms }) => !isRecurring(terms.standing.when));
  const symbols = new Set(priced.map(({ terms }) => terms.standing.order.symbol));
  const quotes = symbols.size === 0 ? [] : await broker.quotes([...symbols]);
  for (const one of open) {
    const { when, order } = one.terms.standing;
    const quote = quotes.find(({ symbol }) => symbol === order.symbol);
    const isDue = isRecurring(when)
      ? one.order.dueAt !== null && isTimely(when, one.order.dueAt, clock.now())
      : quote !== undefined && isCrossed(when, quote, Date.parse(market.timestamp));
    if (isDue && !(await proposeOrder(options, one)))
      resting.set(restingKey(sub, one.order.mandate), now + RETRY_DELAY_MS);
  }
}

/** Returns whether the order is still due, in case a slow broker or a suspended machine delayed it. */
function isTimely(when: RecurringTime, due: number, now: number): boolean {
  return isDueNow(when, due, now) && firstPlaceableDueTime(when, due, now) === due;
}

const restingKey = (sub: string, mandate: string): string => JSON.stringify([sub, mandate]);

/** Proposes the order under its mandate. @returns false if the proposal has to be retried */
async function proposeOrder(options: StandingWatchOptions, { order, terms }: Watched): Promise<boolean> {
  const { kernel, standing, clock } = options;
  const { sub, client } = order;
  const caller = { sub, clientId: client, jkt: GATEWAY_THUMBPRINT_PLACEHOLDER, accessToken: NO_TOKEN };
  let last: NonNullable<StandingOrderState['last']>;
  try {
    const { proposal } = await kernel.propose(caller, toProposalRequest(order.mandate, terms), idempotencyKey(order));
    last = cameOf(proposal, clock.now());
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    if (!isFinal(error)) return false;
    const { code, message: text } = error;
    last = { outcome: 'refused', at: instant(clock.now()), code, text };
  }
  const { when } = terms.standing;
  const dueAt = isRecurring(when) && order.dueAt !== null ? nextDueTime(when, order.dueAt) : null;
  const next: StandingOrderStep = {
    dueAt,
    state: dueAt === null ? 'done' : 'watching',
    last,
    event: last.outcome === 'ordered' ? 'standing_ordered' : 'standing_refused',
  };
  await standing.step(order, next, clock.now());
  kernel.noted();
  return true;
}

/** Returns the same request for each attempt at one due time. The request omits the slot, which depends on the day. */
function toProposalRequest(mandate: string, { standing, account }: Watched['terms']): ProposalRequest {
  const order = { ...toOrderRequest(standing), account };
  const from = `standing order ${mandate}`;
  const fields = Object.fromEntries(Object.keys(order).map((field) => [field, { source: 'computed', from }] as const));
  return {
    kind: 'order',
    order,
    mandate,
    approval: 'mandate',
    requested_by: from,
    provenance: { fields },
  };
}

/** Returns the same key for each attempt at one due time. */
function idempotencyKey({ mandate, dueAt }: Pick<StandingOrder, 'mandate' | 'dueAt'>): string {
  return `standing.${mandate}.${dueAt === null ? 'once' : Math.floor(dueAt / 1000)}`;
}

function cameOf({ id, state, reason }: StoredProposal, now: number): NonNullable<StandingOrderState['last']> {
  const at = instant(now);
  if (!['blocked', 'cancelled', 'expired'].includes(state)) return { outcome: 'ordered', at, proposal: id };
  const why = reason == null ? {} : { code: reason.code, text: reason.text };
  return { outcome: 'refused', at, proposal: id, ...why };
}

/** Returns whether the problem is with the order itself, so that a later attempt would also be rejected. */
function isFinal({ status, code }: HttpProblem): boolean {
  return [400, 403, 404, 422].includes(status) && code !== 'price_unavailable';
}

const instant = (time: number): string => new Date(time).toISOString();
