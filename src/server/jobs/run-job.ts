import type { AgentEvent, RunResult } from '../../agent/events.ts';
import { asTradeAgentError, errorFacts } from '../../agent/graph/error-facts.ts';
import {
  fromWireInput,
  fromWireOptions,
  runInputSchema,
  runOptionsSchema,
  type WireOptions,
} from '../../agent/remote/protocol.ts';
import { runResult } from '../../agent/run/run-result.ts';
import type { Session } from '../../auth/session/session.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import type { JobHandler } from '../../jobs/job-queue.ts';
import type { Clock } from '../../machine/clock.ts';
import type { RunStore, RunTurn, RunWait, StoredRun } from '../../store/run-store.ts';
import type { StateStores } from '../../store/state-stores.ts';
import { isSettledState } from '../../trading/proposal.ts';
import { personAgent, personStores, withinScopes } from '../person-agent.ts';
import { runsOf, type ServerParts } from '../server-parts.ts';

/** What was asked a moment ago is seldom decided; who watches hears of it at once, and this is for all others. Milliseconds. */
const FIRST_LOOK_MS = 2_000;
/** The gateway carries out what was approved in the last moment. */
const GRACE_MS = 60_000;
/** How long to wait for news of what is on its way and unknown: it may take the gateway hours to learn. */
const UNKNOWN_MS = 10_000;
/** How long an account may take to be connected, where the run does not say how long a proposal may. */
const CONNECTING_MS = 5 * 60_000;

/**
 * What a run waits for that could not go on by itself; undefined where this is its end: it was to wait for nobody, nothing is
 * open, or it waited for just this until its time was over.
 */
function waitOf(
  run: Pick<StoredRun, 'waitsUntil' | 'waitsFor'>,
  { approval, ttl }: Pick<WireOptions, 'approval' | 'ttl'>,
  { approvals, connections }: Pick<RunResult, 'approvals' | 'connections'>,
  now: number,
): RunWait | undefined {
  if (approval === 'detach') return undefined;
  const open = approvals.filter(({ status }) => !isSettledState(status));
  const proposals = open.map(({ id }) => id);
  const isConnecting = connections.some(({ status }) => status === 'needed');
  if (proposals.length === 0 && !isConnecting) return undefined;
  const isOver = run.waitsUntil !== undefined && run.waitsUntil <= now;
  if (isOver && !isConnecting && proposals.every((id) => run.waitsFor.includes(id))) return undefined;
  const connecting = ttl === undefined ? CONNECTING_MS : ttl * 1000;
  const connectBy = connectsBy(run) ?? now + connecting;
  const until = Math.max(
    ...open.map(({ status, expires_at }) =>
      status === 'unknown' ? now + UNKNOWN_MS : Date.parse(expires_at) + GRACE_MS,
    ),
    ...(isConnecting ? [connectBy] : []),
  );
  // Of proposals news comes by itself. Whether an account is connected is asked by taking the run up: ever less often.
  const waited = isConnecting ? now - (connectBy - connecting) : 0;
  const lookAt = Math.min(now + Math.max(FIRST_LOOK_MS, waited / 4), until);
  return { proposals, now, lookAt: Math.ceil(lookAt), until };
}

/** Until when a run waits for an account, where that was all it waited for; it goes on without it then. */
function connectsBy({ waitsUntil, waitsFor }: Pick<StoredRun, 'waitsUntil' | 'waitsFor'>) {
  return waitsFor.length === 0 ? waitsUntil : undefined;
}

/**
 * Drives a run to where it can't go on by itself: to its end, or to proposals that somebody is to decide about, when it is left
 * to its row. Why a job that is done twice, or by two at once, proposes nothing twice:
 *
 * 1. Taking it up raises the run's epoch, and each event is written under it; the thread's lease is another's from then on, and
 *    each checkpoint is written under that. Whoever had it before writes nothing more.
 * 2. Jobs of one thread are done one at a time, so the holder of its lease is a job that is over, or stands still.
 * 3. Whether its prompt stands in the thread already is counted, by the checkpoint that the prompt is stored with. Where it does,
 *    the run goes on from there: a step of the model's that is stored is not asked for again.
 * 4. What is proposed has a key made of thread, call and attempt: however often it is sent, the gateway has it once.
 */
export function runJob(parts: ServerParts): JobHandler {
  return async ({ ids: { person, run: id } }, signal) => {
    if (person === undefined || id === undefined) return;
    const runs = runsOf(parts, person);
    const run = await runs.take(id);
    if (run === undefined) return;
    try {
      await driveRun(parts, runs, run, { person, signal });
    } catch (error) {
      if (!(error instanceof TurnOver)) throw error;
    }
  };
}

interface Turn {
  readonly person: string;
  /** Aborts where the job is taken back: somebody else goes on with the run. */
  readonly signal: AbortSignal;
}

/** @throws {TurnOver}; what another try may not meet: a database, or a provider, that does not answer */
async function driveRun(parts: ServerParts, runs: RunStore, run: StoredRun, turn: Turn): Promise<void> {
  const { clock } = parts;
  const { signal } = turn;
  const ended = new AbortController();
  const lost = (reason: unknown) => ended.abort(reason);
  const telling = await runTelling(runs, run, clock, lost);
  const stop = stopOf(parts, runs, run);
  // Taken back: the thread first, so that being cut off becomes no part of what was said in it.
  const handOver = () =>
    void freeThread(personStores(parts, turn.person), run.thread, clock).then(
      () => lost(signal.reason),
      lost,
    );
  signal.addEventListener('abort', handOver, { once: true });
  try {
    signal.throwIfAborted();
    const options = runOptionsSchema.parse(run.options);
    const driving = AbortSignal.any([ended.signal, stop.signal]);
    const tell = (event: AgentEvent) => {
      if (!signal.aborted) telling.tell(event);
    };
    const { result, isStopped } = await resultOf(parts, runs, run, { ...turn, options, driving, stop, tell });
    ended.signal.throwIfAborted();
    signal.throwIfAborted();
    const rest = await telling.rest();
    // Whoever stops it from here on finds it waiting, or has it queued by the wait: what is open is withdrawn by the next turn.
    const wait = isStopped ? undefined : waitOf(run, options, result, clock.now());
    if (wait === undefined) {
      if (!(await runs.end(run, [...rest, { type: 'result', result }], clock.now()))) throw new TurnOver();
      return;
    }
    if (rest.length > 0 && !(await runs.append(run, rest))) throw new TurnOver();
    if (!(await runs.wait(run, wait))) throw new TurnOver();
  } finally {
    signal.removeEventListener('abort', handOver);
    stop.close();
  }
}

interface Driving extends Turn {
  readonly options: WireOptions;
  readonly driving: AbortSignal;
  readonly stop: Stop;
  readonly tell: (event: AgentEvent) => void;
}

interface Driven {
  readonly result: RunResult;
  /** Whether it is over because its person wanted that. */
  readonly isStopped: boolean;
}

async function resultOf(
  parts: ServerParts,
  runs: RunStore,
  run: StoredRun,
  { person, options, driving, stop, tell }: Driving,
): Promise<Driven> {
  const stores = personStores(parts, person);
  await stop.looked;
  // Nothing of it was said yet: what is in the thread is not its own.
  if (stop.signal.aborted && run.input !== undefined && run.prompts === undefined)
    return failed(parts, run, interrupted());
  let session: Session;
  try {
    session = withinScopes(await parts.sessions.of(person), run.scopes);
  } catch (error) {
    if (!isTradeAgentError(error) || error.code !== 'login_required') throw error;
    return failed(parts, run, error);
  }
  const heard = async (events: AsyncIterable<AgentEvent>): Promise<RunResult> => {
    for await (const event of events) {
      if (event.type === 'result') return event.result;
      tell(event);
    }
    throw new Error('a run ended without its result');
  };
  let agent: ReturnType<typeof personAgent>;
  try {
    agent = personAgent(parts, session, options, run.scopes);
  } catch (error) {
    return failed(parts, run, error);
  }
  try {
    await freeThread(stores, run.thread, parts.clock);
    // What is open is withdrawn by who stops it, not by a worker that closes.
    const wire = {
      ...fromWireOptions(options, driving),
      suspends: true,
      cancelOnExit: false,
      connectBy: connectsBy(run),
    };
    let result: RunResult | undefined;
    if (!stop.signal.aborted) {
      const isSaid = await saysAlready(stores, runs, run);
      result = isSaid
        ? await heard(agent.resume(run.thread, wire))
        : await heard(
            agent.run({ ...fromWireInput(runInputSchema.parse(run.input)), thread: run.thread }, wire),
          );
    }
    if (result !== undefined && !stop.signal.aborted) return { result, isStopped: false };
    const stopped = agent.resume(run.thread, {
      ...wire,
      signal: stop.signal,
      cancelOnExit: options.cancel_on_exit ?? false,
    });
    return { result: await heard(stopped), isStopped: true };
  } finally {
    await agent.close();
  }
}

/**
 * Whether what the run was asked stands in its thread. The first who takes it up notes how many prompts there are without it.
 * @throws {TurnOver}
 */
async function saysAlready(stores: StateStores, runs: RunStore, run: StoredRun): Promise<boolean> {
  if (run.input === undefined) return true;
  const said = await promptsIn(stores, run.thread);
  if (run.prompts !== undefined) return said > run.prompts;
  if (!(await runs.noteStart(run, said))) throw new TurnOver();
  return false;
}

async function promptsIn(stores: StateStores, thread: string): Promise<number> {
  const saver = await stores.history();
  const tuple = await saver.getTuple({ configurable: { thread_id: thread } });
  const { prompt = 0 } = (tuple?.checkpoint.channel_values ?? {}) as { prompt?: number };
  return prompt;
}

/** Whoever holds the thread is a job that is over or stands still: it can write nothing more, and is not waited for. */
async function freeThread(
  { threads }: StateStores,
  id: string,
  { now }: ServerParts['clock'],
): Promise<void> {
  const found = await threads.find(id);
  if (found?.holder === undefined) return;
  await threads.end({ thread: id, holder: found.holder, epoch: found.epoch }, undefined, now());
}

interface Stop {
  readonly signal: AbortSignal;
  /** Resolves once it is known whether it was to be stopped from the start. */
  readonly looked: Promise<void>;
  close(): void;
}

/** Aborts once the run's person wants it to end. */
function stopOf({ news }: ServerParts, runs: RunStore, run: StoredRun): Stop {
  const stop = new AbortController();
  const look = async () => {
    if ((await runs.find(run.id))?.stopping) stop.abort(interrupted());
  };
  const close = news.hear((told) => {
    // A hint that is lost costs a stop that comes late.
    if (told === undefined || told === run.id) look().catch(() => undefined);
  });
  return { signal: stop.signal, looked: look(), close };
}

const interrupted = () => new TradeAgentError('interrupted', 'the run was stopped');

/** Of a run that could not be driven: nothing of it is open. */
function failed({ model }: ServerParts, run: StoredRun, error: unknown): Driven {
  const result = runResult(run.thread, {}, [], {
    model: model.name ?? model.provider,
    error: errorFacts(asTradeAgentError(error)),
  });
  return { result, isStopped: false };
}

/** What is told within so many milliseconds of the last is one unit of work: a model's words come one by one. */
const GATHERED_MS = 50;

/** What happens once, however often a run is taken up and looks again. */
const onceTold: readonly AgentEvent['type'][] = ['thread', 'tool_call', 'approval', 'order', 'connection'];

/** Writes what a run tells, in its order, as long as it is this turn's to tell. */
interface RunTelling {
  tell(event: AgentEvent): void;
  /**
   * What was not written yet, once all before it is: for who ends the turn, in the same unit of work.
   * @throws what kept it from being written
   */
  rest(): Promise<AgentEvent[]>;
}

/** @param lost told once, where nothing more can be written: by another's turn, or a database that does not answer */
async function runTelling(
  runs: Pick<RunStore, 'append' | 'eventsAfter'>,
  turn: RunTurn,
  clock: Clock,
  lost: (reason: unknown) => void,
): Promise<RunTelling> {
  const before = await runs.eventsAfter(turn.id, 0, Number.MAX_SAFE_INTEGER);
  const told = new Set(before.map(({ event }) => JSON.stringify(event)));
  const untold: AgentEvent[] = [];
  let writing: Promise<void> | undefined;
  let failed: { readonly reason: unknown } | undefined;

  const write = async () => {
    // The first at once; what comes while it is written is gathered.
    for (let wait = 0; untold.length > 0 && failed === undefined; wait = GATHERED_MS) {
      if (wait > 0) await clock.sleep(wait);
      if (!(await runs.append(turn, joined(untold.splice(0))))) throw new TurnOver();
    }
  };
  return {
    tell(event) {
      if (onceTold.includes(event.type)) {
        const text = JSON.stringify(event);
        if (told.has(text)) return;
        told.add(text);
      }
      untold.push(event);
      writing ??= write()
        .catch((reason: unknown) => {
          failed ??= { reason };
          lost(reason);
        })
        .finally(() => {
          writing = undefined;
        });
    },
    async rest() {
      while (writing !== undefined) await writing;
      if (failed !== undefined) throw failed.reason;
      return joined(untold.splice(0));
    },
  };
}

/** Another job has taken the run up: whatever this one still does is nobody's. */
class TurnOver extends Error {
  override name = 'TurnOver';
}

/** Pieces of one text as one. */
function joined(events: readonly AgentEvent[]): AgentEvent[] {
  const all: AgentEvent[] = [];
  for (const event of events) {
    const last = all.at(-1);
    if (event.type === 'text' && last?.type === 'text')
      all[all.length - 1] = { type: 'text', delta: last.delta + event.delta };
    else all.push(event);
  }
  return all;
}
