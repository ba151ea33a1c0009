import { Command, type StateSnapshot } from '@langchain/langgraph';
import { isTradeAgentError } from '../../errors/errors.ts';
import { loginRequired } from '../../errors/login-required.ts';
import { followProposal } from '../../tools/gateway/follow-proposal.ts';
import { connectCommand } from '../../tools/gateway/gateway-problem.ts';
import { isSettledState } from '../../trading/proposal.ts';
import type { ConnectionView } from '../events.ts';
import type { AwaitedConnection } from '../graph/awaited-connection.ts';
import type { AgentGraph, AwaitedProposal } from '../graph/graph.ts';
import type { GraphEnvironment } from '../graph/graph-environment.ts';
import { takeBack } from './take-back.ts';

/** A call that stands at its interrupt, and what for. */
type Awaited = { readonly interrupt: string } & (AwaitedProposal | AwaitedConnection);

/** What to do about such a call: go on with it, leave it to a later run, or look again once this settles. */
type NextStep = 'resume' | 'leave' | { readonly settles: Promise<unknown> };

/** The calls that stand at their interrupt. A task that is done may still list the interrupt it was resumed from. */
export function interruptsOf(tasks: StateSnapshot['tasks']): Awaited[] {
  return tasks
    .filter((task) => !('result' in task) || task.result === undefined)
    .flatMap((task) => task.interrupts)
    .flatMap(({ id, value }) =>
      id === undefined ? [] : [{ interrupt: id, ...(value as AwaitedProposal | AwaitedConnection) }],
    );
}

/** Whether the graph stands where a call was about to be proposed, or was and nobody knows. */
export function isMidProposal(tasks: StateSnapshot['tasks']): boolean {
  return tasks.some(
    (task) =>
      task.name === 'proposal' &&
      task.interrupts.length === 0 &&
      (!('result' in task) || task.result === undefined),
  );
}

/** What one run waits for: decisions about approvals, and accounts to be connected. */
class InterruptWaits {
  readonly #environment: GraphEnvironment;
  readonly #signal: AbortSignal;
  readonly #shown: Set<string>;
  /** Under way, by what is waited for: nothing is asked about twice at once. */
  readonly #waits = new Map<string, Promise<unknown>>();
  /** Waited for to the end that this run waits to: one that nobody knows of yet is for the next resume. */
  readonly #looked = new Set<string>();
  /** Interrupts whose account is connected, or was not in time. */
  readonly #connected = new Set<string>();

  /** @param shown proposals that the run's stream has told of; those told of here are added */
  constructor(environment: GraphEnvironment, signal: AbortSignal, shown: Set<string>) {
    this.#environment = environment;
    this.#signal = signal;
    this.#shown = shown;
  }

  async next(awaited: Awaited): Promise<NextStep> {
    return 'connection' in awaited
      ? this.#forConnection(awaited.interrupt, awaited.connection)
      : await this.#forProposal(awaited.proposal);
  }

  /** Resolves when every wait has come to its end. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#waits.values());
  }

  /** Looks once, and leaves what is not decided. */
  #comesBack(): boolean {
    const { approvalMode, suspends } = this.#environment;
    return approvalMode === 'detach' || suspends;
  }

  #forConnection(interrupt: string, connection: string): NextStep {
    const { approvalMode } = this.#environment;
    const once = this.#comesBack();
    if (approvalMode === 'deny' || this.#connected.has(interrupt)) return 'resume';
    if (once && this.#looked.has(interrupt)) return 'leave';
    const wait = this.#wait(`connection ${connection}`, () =>
      waitForConnection(this.#environment, connection, this.#signal, { once }),
    );
    const told = wait.then((found) => {
      this.#looked.add(interrupt);
      // Not in time: the call goes on too, and says that it could not be done.
      if (found !== 'needed') this.#connected.add(interrupt);
    });
    told.catch(() => undefined);
    return { settles: told };
  }

  async #forProposal(id: string): Promise<NextStep> {
    const { proposals, approvalMode, thread, saw } = this.#environment;
    // Asked before it is read: a wait that ends meanwhile has noted something that this look may not show.
    const looked = this.#looked.has(id);
    const seen = await proposals.get(id, thread);
    if (seen === undefined || isSettledState(seen.proposal.state)) {
      // Another run that waits for the same proposal may have stored its end before this stream told it.
      if (seen !== undefined && this.#shown.has(id)) await saw(seen);
      return 'resume';
    }
    const once = this.#comesBack();
    // What this run itself has just asked for is not looked at: nobody waits.
    if (looked || (once && !this.#waits.has(id) && this.#shown.has(id))) return 'leave';
    const settles = this.#wait(id, async () => {
      if (approvalMode === 'deny') await takeBack(this.#environment, seen);
      // Asked for in an earlier run, it may be over by now: then the person is told that, and not asked.
      if (!this.#shown.has(id)) await this.#look(id);
      if (!once) await this.#follow(id, { once: false });
      this.#looked.add(id);
    });
    return { settles };
  }

  /** Tells how a proposal stands, also where nothing has changed, or the gateway can't be asked. */
  async #look(id: string): Promise<void> {
    const { proposals, saw, thread } = this.#environment;
    // Whoever waits hears of a gateway out of reach from the wait.
    await this.#follow(id, { once: true, quiet: !this.#comesBack() });
    const seen = await proposals.get(id, thread);
    if (seen !== undefined && !this.#shown.has(id)) await saw(seen);
  }

  async #follow(id: string, { once, quiet = false }: { once: boolean; quiet?: boolean }): Promise<void> {
    const { proposals, gateway, clock, emit, saw, thread } = this.#environment;
    const from = await proposals.get(id, thread);
    if (from === undefined) return;
    if (gateway === undefined) {
      throw loginRequired();
    }
    await followProposal(gateway, from.proposal, {
      clock,
      signal: this.#signal,
      once,
      changed: (proposal) => saw({ ...from, proposal }),
      notice: (message) => {
        if (!quiet) emit({ type: 'notice', message });
      },
    });
  }

  #wait<T>(id: string, begin: () => Promise<T>): Promise<T> {
    const underWay = this.#waits.get(id) as Promise<T> | undefined;
    if (underWay !== undefined) return underWay;
    const wait = begin().then((found) => {
      this.#waits.delete(id);
      return found;
    });
    // Looked at when the others allow; until then a failure must not count as unhandled.
    wait.catch(() => undefined);
    this.#waits.set(id, wait);
    return wait;
  }
}

export type GraphConfig = Parameters<AgentGraph['getState']>[0] & {
  durability: 'sync';
  recursionLimit: number;
};

/**
 * Waits on every interrupted call at once, and resumes each by its interrupt's id as soon as it is decided.
 * @param shown proposals that the run's stream has told of; those told of here are added
 * @returns how the graph stands when nothing is left, or what is left is not for this run to wait for
 */
export async function untilSettled(
  environment: GraphEnvironment,
  graph: AgentGraph,
  config: GraphConfig,
  shown: Set<string>,
): Promise<StateSnapshot> {
  const ended = new AbortController();
  const signal = AbortSignal.any([environment.signal, ended.signal]);
  const waits = new InterruptWaits(environment, signal, shown);
  try {
    for (;;) {
      const stands = await graph.getState(config);
      const steps = await Promise.all(
        interruptsOf(stands.tasks).map(async (awaited) => [awaited, await waits.next(awaited)] as const),
      );
      const ready = steps.filter(([, next]) => next === 'resume');
      if (ready.length > 0) {
        await environment.requireLease();
        const resume = Object.fromEntries(ready.map(([{ interrupt, ...awaited }]) => [interrupt, awaited]));
        await graph.invoke(new Command({ resume }), config);
        continue;
      }
      const waiting = steps.flatMap(([, next]) => (typeof next === 'object' ? [next.settles] : []));
      if (waiting.length === 0) return stands;
      try {
        await Promise.race(waiting);
      } catch (error) {
        if (signal.aborted) return stands;
        throw error;
      }
    }
  } finally {
    // Whatever ended the run, no poll goes on behind it.
    ended.abort();
    await waits.ended();
  }
}

/** Milliseconds between two questions whether it is connected. */
const PAUSE_MS = 2_000;

export function connectionView(name: string, status: ConnectionView['status']): ConnectionView {
  return { name, status, command: connectCommand(name) };
}

/**
 * Waits until an account elsewhere is connected: until `connectBy`, or as long as an approval may take.
 * @param options.once asks once, and comes back either way
 * @returns `missing` where it was not connected in time, `needed` where there is time left
 * @throws the signal's reason, when the run ends first
 */
async function waitForConnection(
  {
    gateway,
    clock,
    profile,
    emit,
    connectBy,
  }: Pick<GraphEnvironment, 'gateway' | 'clock' | 'profile' | 'emit' | 'connectBy'>,
  name: string,
  signal: AbortSignal,
  { once = false }: { once?: boolean } = {},
): Promise<ConnectionView['status']> {
  const deadline = connectBy ?? clock.now() + profile.approval_ttl * 1000;
  let told = false;
  for (;;) {
    const connected = await (gateway?.isConnected(name) ?? Promise.resolve(false)).catch((error: unknown) => {
      signal.throwIfAborted();
      // No answer is no "no": the network may come back before the deadline.
      if (!isTradeAgentError(error)) throw error;
      return false;
    });
    signal.throwIfAborted();
    if (connected) {
      emit({ type: 'connection', connection: connectionView(name, 'connected') });
      return 'connected';
    }
    if (!told) emit({ type: 'connection', connection: connectionView(name, 'needed') });
    told = true;
    const left = deadline - clock.now();
    if (left <= 0) {
      emit({ type: 'connection', connection: connectionView(name, 'missing') });
      return 'missing';
    }
    if (once) return 'needed';
    await clock.sleep(Math.min(PAUSE_MS, left), signal);
  }
}
