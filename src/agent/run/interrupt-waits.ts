import type { StateSnapshot } from '@langchain/langgraph';
import { loginRequired } from '../../errors/login-required.ts';
import { followProposal } from '../../tools/gateway/follow-proposal.ts';
import { isSettledState } from '../../trading/proposal.ts';
import type { AwaitedConnection } from '../graph/awaited-connection.ts';
import type { AwaitedProposal } from '../graph/graph.ts';
import type { GraphEnvironment } from '../graph/graph-environment.ts';
import { waitForConnection } from './connection-wait.ts';
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
    .flatMap(({ id, value }) => {
      if (id === undefined) return [];
      // Schema versions up to 4 said "approval".
      const { approval, ...awaited } = value as (AwaitedProposal | AwaitedConnection) & { approval?: string };
      return [{ interrupt: id, ...(approval === undefined ? awaited : { proposal: approval }) }];
    });
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
export class InterruptWaits {
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
