import { NO_TOKEN } from '../../approval/access.ts';
import type { ApprovalKernel } from '../../approval/kernel/kernel.ts';
import type { Clock } from '../../machine/clock.ts';
import type { MandateStore } from '../../store/mandate-store.ts';
import type { StoredProposal } from '../../store/proposal-store.ts';
import {
  type DueStandingOrder,
  MAX_CHECK_DELAY_MS,
  STANDING_CLAIM_MS,
  type StandingOrder,
  type StandingOrderClaim,
  type StandingOrderStep,
  type StandingOrderStore,
} from '../../store/standing-order-store.ts';
import { Dec } from '../../trading/decimal.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { firstPlaceableDueTime, nextDueTime, placeableFrom } from '../../trading/mandate/due-times.ts';
import type { MandateEnvelope } from '../../trading/mandate/envelope.ts';
import type { StandingOrderState } from '../../trading/mandate/mandate.ts';
import { effectiveMandateState } from '../../trading/mandate/mandate-state.ts';
import {
  GATEWAY_THUMBPRINT_PLACEHOLDER,
  isRecurring,
  type PriceTrigger,
  type StandingOrderTerms,
  toOrderRequest,
} from '../../trading/mandate/standing-order.ts';
import { symbolMarketClock } from '../../trading/market-open.ts';
import { newYorkMidnight } from '../../trading/new-york-time.ts';
import type { ProposalRequest } from '../../trading/proposal.ts';
import type { Quote } from '../../trading/views.ts';
import type { OpenAccountFor } from '../broker/accounts.ts';
import { type AccountSymbol, createSharedMarkets, forEachInParallel, type KnownMarket } from './shared-markets.ts';

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

/** Milliseconds between two checks for due standing orders. */
export const STANDING_ORDER_CHECK_INTERVAL_MS = 15_000;
/** Delay until a price is checked again, in milliseconds. Shorter than the interval, so that no check is skipped. */
const PRICE_DELAY_MS = STANDING_ORDER_CHECK_INTERVAL_MS - 1_000;
/** Delay before an order that could not be placed is retried, in milliseconds. */
const RETRY_DELAY_MS = 60_000;
/** Maximum delay while the market is closed or the mandate is inactive, because this can change unexpectedly. */
const IDLE_DELAY_MS = 15 * 60_000;
const MIN_DELAY_MS = 1_000;
const CLAIM_SIZE = 250;

interface StandingWatchOptions {
  readonly standing: StandingOrderStore;
  readonly mandates: Pick<MandateStore, 'find'>;
  readonly kernel: Pick<ApprovalKernel, 'propose' | 'findByKey' | 'noted'>;
  readonly brokerFor: OpenAccountFor;
  readonly clock: Clock;
  readonly onError?: (message: string) => void;
}

type LastOutcome = NonNullable<StandingOrderState['last']>;

interface Watched extends AccountSymbol {
  readonly claimed: DueStandingOrder;
  /** The claimed order, possibly with a later due time. */
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
 * Gateways share the work by claiming due standing orders in batches. Nothing above depends on the claims: they only
 * keep two gateways from checking the same standing order.
 *
 * Rules, halts and limits apply as to any order under a mandate. If an order is rejected, the rejection is recorded,
 * and the standing order continues at its next due time. If an error is not about the order (the broker is busy, the
 * market has just closed), the proposal is retried.
 */
export function createStandingOrderWatcher(options: StandingWatchOptions) {
  const { standing, clock, onError = (message) => process.stderr.write(`gateway: ${message}\n`) } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const failed = (error: unknown): void =>
    onError(error instanceof Error ? `${error.name}: ${error.message}` : 'unknown');
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      // Ignores an HttpProblem, because the next check may succeed: the broker may be unreachable, for example.
      if (!(error instanceof HttpProblem)) failed(error);
      return undefined;
    }
  };
  const readMarkets = createSharedMarkets({ brokerFor: options.brokerFor, clock, attempt });
  let running = Promise.resolve();

  const check = async (claim: StandingOrderClaim): Promise<void> => {
    const claimedAt = clock.monotonic();
    const delays = new Map<DueStandingOrder, number | undefined>();
    try {
      const watched: Watched[] = [];
      for (const order of claim.orders) {
        const found = await attempt(() => findWatched(options, order));
        if (typeof found === 'object') watched.push(found);
        else delays.set(order, found);
      }
      const markets = await readMarkets(watched);
      const due = watched.filter((one) => {
        const delay = delayUntilDue(one, markets.get(one), clock.now());
        delays.set(one.claimed, delay);
        return delay === 0;
      });
      const byAccount = Map.groupBy(due, ({ sub, account }) => JSON.stringify([sub, account]));
      await forEachInParallel([...byAccount.values()], async (orders) => {
        for (const one of orders) {
          // Leaves the remaining orders due, so that any gateway can claim them again.
          if (signal.aborted || clock.monotonic() - claimedAt > STANDING_CLAIM_MS / 2) return;
          delays.set(one.claimed, await attempt(() => proposeOrder(options, one)));
        }
      });
    } finally {
      const now = clock.now();
      const delayOf = (order: DueStandingOrder) =>
        Math.max(
          MIN_DELAY_MS,
          Math.min(delays.get(order) ?? RETRY_DELAY_MS, MAX_CHECK_DELAY_MS, Date.parse(order.terms.expires_at) - now),
        );
      await standing.release(claim, delayOf, now);
    }
  };

  const look = async (): Promise<void> => {
    for (;;) {
      signal.throwIfAborted();
      const claim = await standing.claimDue(CLAIM_SIZE, clock.now());
      if (claim.orders.length > 0) await check(claim);
      if (claim.orders.length < CLAIM_SIZE) return;
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

/**
 * Skips due times that were missed, and records them as missed. Ends a standing order whose mandate has ended.
 * @returns what to watch now, or the milliseconds until the next check; undefined if another process changed the order
 * or the order has ended
 */
async function findWatched(
  options: StandingWatchOptions,
  claimed: DueStandingOrder,
): Promise<Watched | number | undefined> {
  const { standing, kernel, clock } = options;
  const { sub, symbol, mandateState, terms } = claimed;
  const now = clock.now();
  const watched = terms.standing;
  // Counts an exhausted mandate as active, because its use is counted only when the order is due.
  const state = effectiveMandateState({ state: mandateState, terms, used: NO_USE }, now);
  if (watched === undefined) return await endWatch(options, claimed, state, now);
  const { when } = watched;
  const dueAt = placeableDueTime(when, claimed.dueAt, now);
  if (state !== 'active' || dueAt !== claimed.dueAt) {
    const outcome = await findEarlierOutcome(options, claimed);
    if (outcome !== undefined) return await recordOutcome(options, claimed, when, outcome);
  }
  if (state !== 'active') return await endWatch(options, claimed, state, now);
  const notBefore = Date.parse(terms.not_before);
  if (now < notBefore) return notBefore - now;
  const found = { claimed, sub, symbol, account: terms.account, terms: { ...terms, standing: watched } };
  if (!isRecurring(when) || dueAt === null) return { ...found, order: claimed, isQuoteNeeded: true };
  let order: StandingOrder = claimed;
  if (dueAt !== claimed.dueAt) {
    if ((await findMandateState(options, claimed, now)) !== 'active') return IDLE_DELAY_MS;
    const last = { outcome: 'missed', at: instant(now), text: missedText } as const;
    const next: StandingOrderStep = { dueAt, state: 'watching', last, event: 'standing_missed' };
    if (!(await standing.step(claimed, next, now))) return undefined;
    kernel.noted();
    order = { ...claimed, ...next };
  }
  const from = placeableFrom(when, dueAt, now);
  return now < from ? from - now : { ...found, order, isQuoteNeeded: false };
}

function placeableDueTime(when: StandingOrderTerms['when'], dueAt: number | null, now: number): number | null {
  return isRecurring(when) && dueAt !== null ? firstPlaceableDueTime(when, dueAt, now) : dueAt;
}

const NO_USE = { total_notional: '0', day_notional: '0', orders: 0 };

async function findMandateState({ mandates }: StandingWatchOptions, order: StandingOrder, now: number) {
  const found = await mandates.find(order.sub, order.mandate, { since: newYorkMidnight(now) });
  return found === undefined ? 'revoked' : effectiveMandateState(found, now);
}

async function endWatch(
  { standing, kernel }: StandingWatchOptions,
  order: StandingOrder,
  mandate: ReturnType<typeof effectiveMandateState>,
  now: number,
): Promise<undefined> {
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

/** Returns the milliseconds until the next check; 0 if the order is due. @param known undefined if reading it failed */
function delayUntilDue(
  { order: { dueAt }, terms: { standing } }: Watched,
  known: KnownMarket | undefined,
  now: number,
): number {
  if (known === undefined) return dueAt === null ? PRICE_DELAY_MS : RETRY_DELAY_MS;
  const { market, quote } = known;
  const { when, order } = standing;
  if (!symbolMarketClock(order.symbol, market).is_open) {
    const ms = Date.parse(market.next_open) - Date.parse(market.timestamp);
    return ms > 0 ? Math.min(ms, IDLE_DELAY_MS) : PRICE_DELAY_MS;
  }
  if (!isRecurring(when))
    return quote !== undefined && isCrossed(when, quote, Date.parse(market.timestamp)) ? 0 : PRICE_DELAY_MS;
  // Checks the due time again, because a slow broker or a suspended machine may have caused a long delay.
  return dueAt !== null && firstPlaceableDueTime(when, dueAt, now) === dueAt ? 0 : MIN_DELAY_MS;
}

/** @returns the milliseconds until the next check; undefined if the proposal must be retried or the order has ended */
async function proposeOrder(options: StandingWatchOptions, { order, terms }: Watched): Promise<number | undefined> {
  const { kernel, clock } = options;
  const { sub, client } = order;
  const { when } = terms.standing;
  const mandate = await findMandateState(options, order, clock.now());
  if (mandate !== 'active') {
    const outcome = await findEarlierOutcome(options, order);
    if (outcome !== undefined) return await recordOutcome(options, order, when, outcome);
  }
  // An exhausted mandate stays watched, because an unsettled order may still return its share of the budget. A standing
  // order at a price is no longer watched, because it is placed only once.
  if (mandate === 'exhausted' && order.dueAt !== null) return IDLE_DELAY_MS;
  if (mandate !== 'active') return await endWatch(options, order, mandate, clock.now());
  const caller = { sub, clientId: client, jkt: GATEWAY_THUMBPRINT_PLACEHOLDER, accessToken: NO_TOKEN };
  let last: LastOutcome;
  try {
    const { proposal } = await kernel.propose(caller, toProposalRequest(order.mandate, terms), idempotencyKey(order));
    last = outcomeOf(proposal, clock.now());
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    if (!isFinal(error)) return undefined;
    const { code, message: text } = error;
    last = { outcome: 'refused', at: instant(clock.now()), code, text };
  }
  return await recordOutcome(options, order, when, last);
}

/**
 * Returns the outcome of this due time if it was already proposed by a process that crashed before it recorded the
 * outcome. That order may be the one that exhausted the mandate, and the due time may have passed since.
 */
async function findEarlierOutcome({ kernel, clock }: StandingWatchOptions, order: StandingOrder) {
  const { sub, client } = order;
  const proposal = await kernel.findByKey({ sub, client, key: idempotencyKey(order) });
  return proposal === undefined ? undefined : outcomeOf(proposal, clock.now());
}

/** @returns the milliseconds until the next due time; undefined if the standing order has ended */
async function recordOutcome(
  { kernel, standing, clock }: StandingWatchOptions,
  order: StandingOrder,
  when: StandingOrderTerms['when'],
  last: LastOutcome,
): Promise<number | undefined> {
  const dueAt = isRecurring(when) && order.dueAt !== null ? nextDueTime(when, order.dueAt) : null;
  const next: StandingOrderStep = {
    dueAt,
    state: dueAt === null ? 'done' : 'watching',
    last,
    event: last.outcome === 'ordered' ? 'standing_ordered' : 'standing_refused',
  };
  await standing.step(order, next, clock.now());
  kernel.noted();
  return dueAt === null ? undefined : dueAt - clock.now();
}

/** Returns the same request for each attempt at one due time. Leaves out the period, which depends on the day. */
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

function outcomeOf({ id, state, reason }: StoredProposal, now: number): LastOutcome {
  const at = instant(now);
  if (!['blocked', 'cancelled', 'expired'].includes(state)) return { outcome: 'ordered', at, proposal: id };
  const why = reason == null ? {} : { code: reason.code, text: reason.text };
  return { outcome: 'refused', at, proposal: id, ...why };
}

/** Returns whether the problem is with the order itself. If so, another attempt would also be rejected. */
function isFinal({ status, code }: HttpProblem): boolean {
  return [400, 403, 404, 422].includes(status) && code !== 'price_unavailable';
}

const instant = (time: number): string => new Date(time).toISOString();
