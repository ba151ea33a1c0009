import { Command, type StateSnapshot } from '@langchain/langgraph';
import { isTradeAgentError } from '../../errors/errors.ts';
import { loginRequiredError } from '../../errors/login-required.ts';
import { followProposal } from '../../tools/gateway/follow-proposal.ts';
import { formatConnectCommand } from '../../tools/gateway/gateway-problem.ts';
import { isSettledState } from '../../trading/proposal.ts';
import type { ConnectionView } from '../events.ts';
import type { AwaitedConnection } from '../graph/awaited-connection.ts';
import type { AgentGraph, AwaitedProposal } from '../graph/graph.ts';
import type { GraphEnvironment } from '../graph/graph-environment.ts';
import { withdrawProposalIfOpen } from './withdraw.ts';

type Awaited = { readonly interrupt: string } & (AwaitedProposal | AwaitedConnection);

/** Next step for an interrupted call: resume it, leave it to a later run, or check it again when `settles` settles. */
type NextStep = 'resume' | 'leave' | { readonly settles: Promise<unknown> };

/** Returns the open interrupts. Omits the interrupts of finished tasks, which LangGraph still lists. */
export function listOpenInterrupts(tasks: StateSnapshot['tasks']): Awaited[] {
  return tasks
    .filter((task) => !('result' in task) || task.result === undefined)
    .flatMap((task) => task.interrupts)
    .flatMap(({ id, value }) =>
      id === undefined ? [] : [{ interrupt: id, ...(value as AwaitedProposal | AwaitedConnection) }],
    );
}

/** Returns whether a proposal was about to be sent, or was sent without the gateway's response being stored. */
export function wasSendingProposal(tasks: StateSnapshot['tasks']): boolean {
  return tasks.some(
    (task) =>
      task.name === 'proposal' && task.interrupts.length === 0 && (!('result' in task) || task.result === undefined),
  );
}

class InterruptWaits {
  readonly #environment: GraphEnvironment;
  readonly #signal: AbortSignal;
  readonly #shown: Set<string>;
  /** Running waits by proposal ID or connection name, so that nothing is polled twice. */
  readonly #waits = new Map<string, Promise<unknown>>();
  /**
   * IDs whose wait has finished in this run. A call that is still undecided after its wait is left to the next resume.
   */
  readonly #looked = new Set<string>();
  readonly #connected = new Set<string>();

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

  async ended(): Promise<void> {
    await Promise.allSettled(this.#waits.values());
  }

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
      waitForConnection(this.#environment, connection, this.#signal, once),
    );
    const settled = wait.then((found) => {
      this.#looked.add(interrupt);
      // After the deadline, the call is also resumed, and reports that the account is missing.
      if (found !== 'needed') this.#connected.add(interrupt);
    });
    settled.catch(() => undefined);
    return { settles: settled };
  }

  async #forProposal(id: string): Promise<NextStep> {
    const { proposals, approvalMode, thread, saw } = this.#environment;
    // Read before the proposal. If a wait ended between the two reads, an outdated proposal would look like the wait's
    // result.
    const looked = this.#looked.has(id);
    const seen = await proposals.get(id, thread);
    if (seen === undefined || isSettledState(seen.proposal.state)) {
      // Another run that waits for the same proposal may have stored its final state before this run emitted it.
      if (seen !== undefined && this.#shown.has(id)) await saw(seen);
      return 'resume';
    }
    const once = this.#comesBack();
    // Without waiting, a proposal from this run is not checked, because its state was just emitted.
    if (looked || (once && !this.#waits.has(id) && this.#shown.has(id))) return 'leave';
    const settles = this.#wait(id, async () => {
      if (approvalMode === 'deny') await withdrawProposalIfOpen(this.#environment, seen);
      // A proposal of an earlier run may have ended. In that case, only its final state is emitted.
      if (!this.#shown.has(id)) await this.#look(id);
      if (!once) await this.#follow(id, { once: false });
      this.#looked.add(id);
    });
    return { settles };
  }

  /** Emits a proposal's state, even if it is unchanged or the gateway is unreachable. */
  async #look(id: string): Promise<void> {
    const { proposals, saw, thread } = this.#environment;
    // If the run waits, an unreachable gateway is reported later, during the wait.
    await this.#follow(id, { once: true, quiet: !this.#comesBack() });
    const seen = await proposals.get(id, thread);
    if (seen !== undefined && !this.#shown.has(id)) await saw(seen);
  }

  async #follow(id: string, { once, quiet = false }: { once: boolean; quiet?: boolean }): Promise<void> {
    const { proposals, gateway, clock, emit, saw, thread } = this.#environment;
    const from = await proposals.get(id, thread);
    if (from === undefined) return;
    if (gateway === undefined) throw loginRequiredError();
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
    const inProgress = this.#waits.get(id) as Promise<T> | undefined;
    if (inProgress !== undefined) return inProgress;
    const wait = begin().then((found) => {
      this.#waits.delete(id);
      return found;
    });
    // Awaited later. Until then, a failure must not count as unhandled.
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
 * Waits for all interrupted calls concurrently, and resumes each call as soon as it is decided.
 * @param shown IDs of proposals that were already emitted; new ones are added
 * @returns the state when this run has nothing left to wait for
 */
export async function waitForInterruptedCalls(
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
        listOpenInterrupts(stands.tasks).map(async (awaited) => [awaited, await waits.next(awaited)] as const),
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
    ended.abort();
    await waits.ended();
  }
}

const CONNECTION_POLL_INTERVAL_MS = 2_000;

export function toConnectionView(name: string, status: ConnectionView['status']): ConnectionView {
  return { name, status, command: formatConnectCommand(name) };
}

/**
 * Waits until an account is connected, at most until `connectBy` or, by default, for `approval_ttl`.
 * @param once checks once instead of waiting
 * @returns `missing` after the deadline; `needed` if `once` is set and the deadline has not passed
 * @throws the signal's reason
 */
async function waitForConnection(
  { gateway, clock, profile, emit, connectBy }: GraphEnvironment,
  name: string,
  signal: AbortSignal,
  once: boolean,
): Promise<ConnectionView['status']> {
  const deadline = connectBy ?? clock.now() + profile.approval_ttl * 1000;
  let isReported = false;
  for (;;) {
    const connected = await (gateway?.isConnected(name) ?? Promise.resolve(false)).catch((error: unknown) => {
      signal.throwIfAborted();
      // A failed check does not mean that the account is missing: the network may recover before the deadline.
      if (!isTradeAgentError(error)) throw error;
      return false;
    });
    signal.throwIfAborted();
    if (connected) {
      emit({ type: 'connection', connection: toConnectionView(name, 'connected') });
      return 'connected';
    }
    if (!isReported) emit({ type: 'connection', connection: toConnectionView(name, 'needed') });
    isReported = true;
    const left = deadline - clock.now();
    if (left <= 0) {
      emit({ type: 'connection', connection: toConnectionView(name, 'missing') });
      return 'missing';
    }
    if (once) return 'needed';
    await clock.sleep(Math.min(CONNECTION_POLL_INTERVAL_MS, left), signal);
  }
}
