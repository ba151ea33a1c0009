import type { Agent } from '../../src/agent/agent.ts';
import type { RunResult } from '../../src/agent/events.ts';
import { isTradeAgentError, type TradeAgentError } from '../../src/errors/errors.ts';
import { systemClock } from '../../src/machine/clock.ts';
import type { Proposal } from '../../src/trading/proposal.ts';
import type { LoadPerson } from '../load/people.ts';
import type { LoadWorld } from '../load/world.ts';

/** How one proposal went, from its first request to its fill. Times are milliseconds of `performance.now()`. */
export interface Passage {
  readonly id: string;
  /** Whose it is. */
  readonly username: string;
  /** When the first question about it was tapped, and its fill seen. */
  readonly tappedAt: number;
  readonly filledAt: number;
  /** How often it was asked and tapped: once, unless the answer got lost on its way. */
  readonly taps: number;
  /** By which way it was proposed: straight to the gateways, or through the agent at the servers. */
  readonly by: 'gateways' | 'servers';
  /** What was seen of it and done about it, each with its time. */
  readonly steps: readonly Step[];
}

interface Step {
  readonly at: number;
  readonly what: string;
}

/** Whoever trades, with what their phone shows. */
export type Trader = LoadPerson & Pick<LoadWorld, 'phone' | 'shownOf'>;

/** For one proposal from its first request to its fill, whatever is killed meanwhile. */
const PATIENCE_MS = 600_000;
/** Between two tries of what was not answered. */
const AGAIN_MS = 200;

interface Asking {
  /** Of the steps, and of what is not answered. */
  readonly key: string;
  /** Whether each request comes twice. */
  readonly twice?: boolean;
}

/** Proposes, as programs do, until there is an answer; and has it filled ({@link filled}). */
export async function passage(trader: Trader, asking: Asking & { readonly qty: string }): Promise<Passage> {
  const { qty, key } = asking;
  const log = stepsOf(asking);
  log.note('proposed');
  const seen = await log.often(() => trader.propose(qty, key));
  return filled(trader, seen, asking, log);
}

/**
 * Taps, as a person does, whatever the phone shows of a proposal until it is filled: again where the tap did not get through, and
 * where the gateway asks again since the answer was lost on its way.
 * @throws where it ends as anything else, or is not filled in time, with how it went
 */
export async function filled(
  trader: Trader,
  proposal: Proposal,
  asking: Asking,
  { steps, note, persist, often, until } = stepsOf(asking),
): Promise<Passage> {
  let seen = proposal;
  note(standing(seen));
  let tappedAt: number | undefined;
  const tapped = new Set<string>();
  while (!isFilled(seen)) {
    if (isOver(seen)) throw new Error(`a plain order ended ${seen.state}: ${shown(steps)}`);
    if (performance.now() > until) throw new Error(`${asking.key} is not filled: ${shown(steps)}`);
    const question = seen.state === 'requested' ? trader.shownOf(seen.id) : undefined;
    if (question !== undefined && !tapped.has(question)) {
      tapped.add(question);
      note('tapped');
      tappedAt ??= performance.now();
      await often(async () => {
        await trader.phone.decide(question, 'approve').catch((error: unknown) => {
          if (!isPast(error)) throw error;
          note(error.message);
        });
      });
    }
    const before = seen;
    seen = await persist(() => trader.next(before));
    if (seen.updated_at !== before.updated_at) note(standing(seen));
  }
  return {
    id: seen.id,
    username: trader.username,
    tappedAt: tappedAt ?? 0,
    filledAt: performance.now(),
    taps: tapped.size,
    by: 'gateways',
    steps,
  };
}

/**
 * The same by a sentence to the agent at a server, which proposes it in a run of a worker's; and the run is watched to its end. A
 * run that ends before it has proposed is begun again: while the proposal of an earlier one is open, theirs is that one.
 */
export async function passageThrough(
  trader: Trader & { readonly agent: Pick<Agent, 'run'> },
  asking: Asking & { readonly qty: string },
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
    const passage = await filled(trader, seen, asking, log);
    const told = await result;
    const [order] = told?.orders ?? [];
    if (told?.status !== 'done' || order?.status !== 'filled')
      throw new Error(`a run ended ${told?.status}: ${told?.error?.message}; ${shown(log.steps)}`);
    return { ...passage, by: 'servers' };
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
    .map(({ at, what }, n) => `+${Math.round(at - (steps[n - 1]?.at ?? at))} ${what.slice(0, 120)}`)
    .join(', ');
}

function standing({ state, reason }: Proposal): string {
  return reason === null || reason === undefined ? state : `${state} (${reason.text})`;
}

/** Of a question whose answer counts no more: another may have taken its place by now, and is tapped then. */
const isPast = (error: unknown): error is TradeAgentError =>
  isTradeAgentError(error) && ['not_found', 'approval_expired', 'usage'].includes(error.code);
const isFilled = ({ state, result }: Proposal) =>
  state === 'executed' && (result as { status?: unknown } | null)?.status === 'filled';
const isOver = ({ state }: Proposal) => ['blocked', 'expired', 'denied', 'cancelled'].includes(state);
