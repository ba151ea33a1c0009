import type { Agent } from '../../src/agent/agent.ts';
import type { RunResult } from '../../src/agent/events.ts';
import { systemClock } from '../../src/machine/clock.ts';
import type { MandateView } from '../../src/trading/mandate/mandate.ts';
import type { Proposal } from '../../src/trading/proposal.ts';
import type { Trader } from './homes.ts';

/** How one proposal went, from its first request to its end. Times are milliseconds of `performance.now()`. */
export interface Passage {
  readonly id: string;
  /** Whose it is. */
  readonly username: string;
  /** When the first question about it was tapped, and its end seen. */
  readonly tappedAt: number;
  readonly endedAt: number;
  /** How often it was asked and tapped: once, unless the answer got lost on its way. */
  readonly taps: number;
  readonly way: Way;
  /** What was seen of it and done about it, each with its time. */
  readonly steps: readonly Step[];
}

/**
 * How one is proposed and answered: `approved` and `denied` straight at the homes, `server` through the agent at the
 * servers, `command` by `trade-agent run`, `ignored` until it expires, `withdrawn` before an answer, `over the limit` of the
 * home's rules, `mandate` with two orders under it and a third too many, `standing` as a standing order for a price.
 */
export type Way = (typeof ways)[number];
export const ways = [
  'approved',
  'server',
  'command',
  'denied',
  'ignored',
  'withdrawn',
  'over the limit',
  'mandate',
  'standing',
] as const;

interface Step {
  readonly at: number;
  readonly what: string;
}

/** For one proposal from its first request to its end, whatever is killed meanwhile. */
const PATIENCE_MS = 600_000;
/** Between two tries of what was not answered. */
const AGAIN_MS = 200;

interface Asking {
  /** Of the steps, and of what is not answered. */
  readonly key: string;
  /** Each quantity once, since identical proposals are one. */
  readonly qty: string;
  /** Whether each request comes twice. */
  readonly twice?: boolean;
}

type Log = ReturnType<typeof stepsOf>;

/** Proposes, as programs do, until there is an answer; and answers it until it ends. */
export async function passage(
  trader: Trader,
  asking: Asking,
  way: 'approved' | 'denied' | 'ignored' | 'withdrawn' | 'over the limit',
): Promise<Passage> {
  const { qty, key } = asking;
  const log = stepsOf(asking);
  log.note('proposed');
  if (way === 'over the limit') {
    // 10 shares and more cost more than the home's limit for an order.
    await log.often(() => refused(trader, key, { order: { symbol: 'AAPL', side: 'buy', qty: `1${qty}` } }));
    const at = performance.now();
    return { id: '', username: trader.username, tappedAt: at, endedAt: at, taps: 0, way, steps: log.steps };
  }
  const seen = await log.often(() => trader.propose(qty, key, way === 'ignored' ? { ttl: 60 } : {}));
  if (way === 'withdrawn') {
    await log.often(() =>
      trader.withdraw(seen.id).catch((error: Error) => {
        // Of two, the later one finds it withdrawn.
        if (!/ 409 /.test(error.message)) throw error;
      }),
    );
  }
  return end(trader, seen, { asking, log, way });
}

/**
 * Answers whatever the phone shows of a proposal until it ends: again where the tap did not get through, and where it is asked
 * again since the answer was lost on its way.
 * @throws where it does not end as it should, or not in time, with how it went
 */
export async function end(
  trader: Trader,
  first: Proposal,
  { asking, log, way }: { readonly asking: Asking; readonly log: Log; readonly way: Way },
): Promise<Passage> {
  const { note, persist, often, steps, until } = log;
  const answered = new Set<string>();
  let tappedAt: number | undefined;
  let seen = first;
  note(standing(seen));
  while (!isEnd(seen, way)) {
    if (performance.now() > until) throw new Error(`${asking.key} did not end: ${shown(steps)}`);
    if (way !== 'ignored' && seen.state === 'requested') {
      for (const id of await persist(() => trader.phone.requestsAbout(first.id))) {
        if (answered.has(id)) continue;
        answered.add(id);
        note('tapped');
        tappedAt ??= performance.now();
        const { isPast } = await often(() => trader.phone.decide(id, way === 'denied' ? 'deny' : 'approve'));
        if (isPast) note('it was past');
      }
    }
    const before = seen;
    seen = await persist(() => trader.next(before));
    if (seen.updated_at !== before.updated_at) note(standing(seen));
  }
  const { id } = seen;
  const endedAt = performance.now();
  return { id, username: trader.username, tappedAt: tappedAt ?? endedAt, endedAt, taps: answered.size, way, steps };
}

/** A mandate for two orders, two orders under it, and a third that it does not cover. */
export async function mandated(trader: Trader, asking: Asking): Promise<Passage[]> {
  const log = stepsOf(asking);
  const terms = { ...bounds(), symbols: ['MSFT'], max_orders: 2 };
  const granted = await grant(trader, terms, { asking, log, way: 'mandate' });
  const orders: Passage[] = [];
  for (const number of [1, 2, 3]) {
    const key = `${asking.key}-${number}`;
    const ordering = { ...asking, key };
    const order = { symbol: 'MSFT', side: 'buy', qty: '0.01', type: 'market', time_in_force: 'day' };
    const fields = Object.fromEntries(Object.keys(order).map((field) => [field, { source: 'user' }]));
    const more = { order, mandate: granted.mandate, approval: 'mandate', provenance: { fields } };
    const orderLog = stepsOf(ordering);
    if (number < 3) {
      const seen = await orderLog.often(() => trader.propose('0.01', key, more));
      orders.push(await end(trader, seen, { asking: ordering, log: orderLog, way: 'mandate' }));
    } else {
      await orderLog.persist(() => refused(trader, key, more));
    }
  }
  return [...orders, granted.passage];
}

/** The order is refused with a reason, whether as an answer or as a proposal that was blocked. */
async function refused(trader: Trader, key: string, more: object): Promise<void> {
  let proposal: Proposal;
  try {
    proposal = await trader.propose('0.01', key, more);
  } catch (error) {
    if (/: 4(03|09|22) .*"code":/.test((error as Error).message)) return;
    throw error;
  }
  while (['drafted', 'approved', 'executing'].includes(proposal.state)) proposal = await trader.next(proposal);
  if (proposal.state !== 'blocked' || !proposal.reason)
    throw new Error(`an order that must be refused was ${proposal.state}`);
}

/** A standing order for a price that the market has, which the homes place by themselves. */
export async function standingOrder(trader: Trader, asking: Asking): Promise<Passage[]> {
  const log = stepsOf(asking);
  const { qty } = asking;
  const order = { symbol: 'AAPL', side: 'buy', qty, type: 'market', time_in_force: 'day' };
  const terms = {
    ...{ ...bounds(), symbols: ['AAPL'], order_types: ['market'], max_orders: 1 },
    standing: { order, when: { price: 'above', at: '1' } },
  };
  const { mandate, passage: granted } = await grant(trader, terms, { asking, log, way: 'standing' });
  for (;;) {
    const { standing: state } = await log.persist(() => mandateOf(trader, mandate));
    const { last } = state ?? {};
    if (last?.outcome === 'ordered' && last.proposal !== undefined) {
      log.note('ordered');
      const { proposal: id } = last;
      const seen = await log.persist(() => trader.next({ id, updated_at: LONG_AGO }));
      return [await end(trader, seen, { asking, log, way: 'standing' }), granted];
    }
    if (last !== undefined) throw new Error(`a standing order was ${last.outcome}: ${last.text}`);
    if (performance.now() > log.until) throw new Error(`${asking.key} was not ordered: ${shown(log.steps)}`);
    await systemClock.sleep(1_000);
  }
}

const bounds = () => ({
  ...{ environment: 'paper', sides: ['buy'], max_order_notional: '500', max_total_notional: '1000' },
  expires_at: `${new Date(Date.now() + 86_400_000).toISOString().slice(0, 19)}Z`,
});

async function grant(
  trader: Trader,
  mandate: object,
  { asking, log, way }: { readonly asking: Asking; readonly log: Log; readonly way: Way },
) {
  log.note('asked for a mandate');
  const body = { kind: 'mandate', order: undefined, mandate };
  const seen = await log.often(() => trader.propose(asking.qty, asking.key, body));
  const passage = await end(trader, seen, { asking, log, way });
  const { result } = await log.persist(() => trader.next({ id: passage.id, updated_at: LONG_AGO }));
  return { passage, mandate: (result as { mandate: string }).mandate };
}

async function mandateOf(trader: Trader, id: string): Promise<MandateView> {
  const response = await trader.open(`/v1/mandates/${id}`, AbortSignal.timeout(30_000));
  const text = await response.text();
  if (!response.ok) throw new Error(`${id}: ${response.status} ${text}`);
  return JSON.parse(text) as MandateView;
}

/** By `trade-agent run` without waiting, which is run again where it is ended by a fault. */
export async function passageByCommand(
  trader: Trader & { readonly run: (prompt: string) => Promise<string | undefined> },
  asking: Asking,
): Promise<Passage> {
  const log = stepsOf(asking);
  for (;;) {
    log.note('ran the command');
    const id = await log.persist(() => trader.run(`buy ${asking.qty} AAPL`));
    if (id === undefined) continue;
    const seen = await log.persist(() => trader.next({ id, updated_at: LONG_AGO }));
    return end(trader, seen, { asking, log, way: 'command' });
  }
}

/**
 * The same by a sentence to the agent at a server, which proposes it in a run of a worker's; and the run is watched to its end. A
 * run that ends before it has proposed is begun again: while the proposal of an earlier one is open, theirs is that one.
 */
export async function passageThrough(
  trader: Trader & { readonly agent: Pick<Agent, 'run'> },
  asking: Asking,
): Promise<Passage> {
  const { qty, key } = asking;
  const log = stepsOf(asking);
  for (;;) {
    log.note('asked the agent');
    const { proposal, result } = runOf(trader.agent, `buy ${qty} AAPL`);
    const id = await proposal;
    if (id === undefined) {
      const { status, error } = (await result) ?? {};
      log.note(`the run ended ${status} without a proposal: ${error?.message}`);
      if (performance.now() > log.until) throw new Error(`${key} was not proposed: ${shown(log.steps)}`);
      await systemClock.sleep(AGAIN_MS);
      continue;
    }
    const seen = await log.persist(() => trader.next({ id, updated_at: LONG_AGO }));
    const ended = await end(trader, seen, { asking, log, way: 'server' });
    const told = await result;
    const [order] = told?.orders ?? [];
    if (told?.status !== 'done' || order?.status !== 'filled')
      throw new Error(`a run ended ${told?.status}: ${told?.error?.message}; ${shown(log.steps)}`);
    return ended;
  }
}

/** Before anything was proposed here. */
const LONG_AGO = '2000-01-01T00:00:00.000Z';

/** A run: the id of what it proposes, undefined where it ends without; and its result. */
function runOf(agent: Pick<Agent, 'run'>, prompt: string) {
  const { promise: proposal, resolve } = Promise.withResolvers<string | undefined>();
  const watched = async (): Promise<RunResult | undefined> => {
    let result: RunResult | undefined;
    const signal = AbortSignal.timeout(PATIENCE_MS);
    try {
      for await (const event of agent.run({ prompt }, { approval: 'wait', signal })) {
        if (event.type === 'approval') resolve(event.approval.id);
        if (event.type === 'result') result = event.result;
      }
    } finally {
      resolve(undefined);
    }
    return result;
  };
  const result = watched();
  // Whoever waits for the proposal hears of it with the result.
  result.catch(() => undefined);
  return { proposal, result };
}

/** What is noted of one, and how its requests are made. */
function stepsOf({ key, twice = false }: Asking) {
  const until = performance.now() + PATIENCE_MS;
  const steps: Step[] = [];
  const note = (what: string) => void steps.push({ at: performance.now(), what });
  const persist = async <T>(ask: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        note(error instanceof Error ? error.message : String(error));
        if (performance.now() > until) throw new Error(`${key} got no answer: ${shown(steps)}`);
        await systemClock.sleep(AGAIN_MS);
      }
    }
  };
  const often = async <T>(ask: () => Promise<T>): Promise<T> => {
    const [first] = await Promise.all(twice ? [persist(ask), persist(ask)] : [persist(ask)]);
    return first;
  };
  return { steps, note, persist, often, until };
}

/** One line, each step with the milliseconds since the one before it. */
export function shown(steps: readonly Step[]): string {
  return steps
    .map(({ at, what }, n) => `+${Math.round(at - (steps[n - 1]?.at ?? at))} ${what.slice(0, 160)}`)
    .join(', ');
}

function standing({ state, reason }: Proposal): string {
  return reason === null || reason === undefined ? state : `${state} (${reason.text})`;
}

/** How each way ends. */
const ends: Readonly<Record<Way, Proposal['state']>> = {
  approved: 'executed',
  server: 'executed',
  command: 'executed',
  denied: 'denied',
  // It expires, which is seen at the end of all.
  ignored: 'requested',
  withdrawn: 'cancelled',
  'over the limit': 'blocked',
  mandate: 'executed',
  standing: 'executed',
};

/** @throws where it ended otherwise than it should */
function isEnd({ id, kind, state, reason, result }: Proposal, way: Way): boolean {
  if (state === ends[way]) return state !== 'executed' || kind !== 'order' || result?.status === 'filled';
  if (['blocked', 'expired', 'denied', 'cancelled'].includes(state))
    throw new Error(`${id} (${way}) ended ${state}: ${reason?.text}`);
  return false;
}
