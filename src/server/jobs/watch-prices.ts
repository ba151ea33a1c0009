import { createHash } from 'node:crypto';
import type { Session } from '../../auth/session/session.ts';
import { readQuotes } from '../../check/read-quotes.ts';
import { loginRequiredError } from '../../errors/login-required.ts';
import type { ObservedValue, TenantSchedules, WorkerLeases } from '../../store/schedule-rows.ts';
import { createGatewayClient } from '../../tools/gateway/gateway-client.ts';
import { Dec, isPositive } from '../../trading/decimal.ts';
import type { Quote } from '../../trading/views.ts';
import type { PersonSessions } from '../sessions/person-sessions.ts';

/** Number of shards of symbols. Each shard is read by one worker at a time. */
const SHARDS = 8;
/** Lease of a shard, in milliseconds. A worker that does not renew it loses the shard. */
const LEASE_MS = 15_000;
/** Maximum number of people whose sessions are tried for reading prices. */
const MAX_PEOPLE = 5;

export interface CheckPriceConditionsOptions {
  readonly schedules: Pick<TenantSchedules, 'watched' | 'watchers' | 'applyObserved'>;
  readonly leases: Pick<WorkerLeases, 'hold'>;
  readonly sessions: Pick<PersonSessions, 'forPerson'>;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/**
 * Reads the prices that conditions depend on, for this worker's shards. Market data is the same for everyone, so each
 * price is requested only once, with the session of a person who has a condition on it. A price that crosses a
 * threshold and crosses back between two reads is not noticed.
 * @returns the number of conditions that changed
 */
export async function checkPriceConditions(options: CheckPriceConditionsOptions): Promise<number> {
  const { schedules, leases, signal } = options;
  const shards = Map.groupBy(await schedules.watched(), symbolShard);
  let turned = 0;
  for (const [shard, symbols] of shards) {
    signal.throwIfAborted();
    if (!(await leases.hold(`prices/${shard}`, LEASE_MS))) continue;
    const quotes = await fetchQuotes(options, symbols);
    turned += await schedules.applyObserved(quotes.flatMap(toObservedValues), options.now());
  }
  return turned;
}

function symbolShard(symbol: string): number {
  return (createHash('sha256').update(symbol).digest()[0] ?? 0) % SHARDS;
}

/** Returns the symbols' quotes, read with the first session that works. @throws the last person's error */
async function fetchQuotes(
  { schedules, sessions, signal }: CheckPriceConditionsOptions,
  symbols: readonly string[],
): Promise<Quote[]> {
  let why: unknown = loginRequiredError();
  for (const person of await schedules.watchers(symbols, MAX_PEOPLE)) {
    signal.throwIfAborted();
    try {
      const session: Session = await sessions.forPerson(person);
      const { quotes } = await readQuotes(createGatewayClient(session, { signal }), symbols);
      return [...quotes.values()];
    } catch (error) {
      why = error;
    }
  }
  throw why;
}

/** Returns the values that conditions are compared with, or an empty list if there is no price. */
export function toObservedValues({ symbol, last, previous_close: before }: Quote): ObservedValue[] {
  if (last === undefined || !isPositive(new Dec(last))) return [];
  const prices = (['above', 'below'] as const).map((side) => ({ symbol, side, value: last }));
  if (before === undefined || !isPositive(new Dec(before))) return prices;
  const value = new Dec(last).minus(before).div(before).toFixed();
  return [...prices, ...(['up', 'down'] as const).map((side) => ({ symbol, side, value }))];
}
