import { isSettled } from '../../src/agent/approval-states.ts';
import { check } from './oracle.ts';
import { type History, prompts, type Step, type Takeover } from './steps.ts';
import { startWorker, type Worker } from './worker.ts';
import { createWorld, prices, type SharedKeys, symbols, type World } from './world.ts';

/** How the histories went, so that a run that exercises nothing is seen. */
export interface Tally {
  histories: number;
  orders: number;
  approvals: number;
  kills: number;
  gatewayKills: number;
  faults: number;
  runs: number;
  /** Lines of the audit files, by event. */
  readonly events: Record<string, number>;
}

/** Plays one history to its end and lets everything settle. @throws what the checker finds */
export async function play(keys: SharedKeys, history: History, tally: Tally): Promise<void> {
  const world = await createWorld(keys, history.world);
  const everyone: Worker[] = [];
  try {
    await new Player(world, history, everyone, tally).play();
    check(world);
    tally.histories += 1;
    tally.orders += world.broker.book().length;
    tally.approvals += world.approvals().length;
    for (const { event } of world.audit()) {
      tally.events[String(event)] = (tally.events[String(event)] ?? 0) + 1;
    }
    tally.faults += world.network.sent.filter((sent) => sent.fault !== undefined).length;
  } finally {
    for (const worker of everyone) {
      worker.life.dieAfter(0);
      worker.bury();
    }
    await world.close();
  }
}

/**
 * Loads everything an order needs: modules that come by `import()` at first use take real time, which a world can't see.
 */
export async function warmUp(keys: SharedKeys): Promise<void> {
  const world = await createWorld(keys, { interval: 2, hold: 0, approvalTtl: 60 });
  const worker = await startWorker(world);
  try {
    const run = worker.begin({ prompt: 'buy 1 AAPL', thread: 't' }, 'wait');
    while (!run.done) {
      await world.advance(500);
      for (const question of world.provider.open()) world.provider.decide(question, 'approve');
    }
    const result = await run.ended;
    if (result?.status !== 'done') throw new Error(`a plain order failed: ${JSON.stringify(result?.error)}`);
    check(world);
  } finally {
    worker.life.dieAfter(0);
    worker.bury();
    await world.close();
  }
}

/** Rounds after which a world without faults must have settled everything. */
const LAST_ROUNDS = 12;

class Player {
  readonly #world: World;
  readonly #history: History;
  readonly #everyone: Worker[];
  readonly #tally: Tally;
  /** The workers alive, by their number in the history. */
  readonly #workers: (Worker | undefined)[] = [];
  readonly #begun = new Set<string>();

  constructor(world: World, history: History, everyone: Worker[], tally: Tally) {
    this.#world = world;
    this.#history = history;
    this.#everyone = everyone;
    this.#tally = tally;
  }

  async play(): Promise<void> {
    for (const step of this.#history.steps) {
      await this.#take(step);
      await this.#world.rest();
      this.#mourn();
    }
    await this.#settle();
  }

  async #take(step: Step): Promise<void> {
    const world = this.#world;
    switch (step.do) {
      case 'work':
        return this.#work(step);
      case 'kill':
        return this.#at(step.worker)?.life.dieAfter(step.after);
      case 'brink': {
        const open = world.approvals().filter(({ status }) => !isSettled(status));
        const row = open[step.row % Math.max(1, open.length)];
        if (row === undefined) return;
        world.machine.skew = -20_000;
        const left = Date.parse(row.draft.expires_at) + step.seconds * 1000 - world.clock.now();
        if (left > 0) await world.advance(left);
        return;
      }
      case 'takeover':
        return this.#takeOver(step);
      case 'pause':
        return this.#at(step.worker)?.life.pauseAfter(step.after);
      case 'unpause':
        return this.#workers.filter((worker) => worker?.life.paused)[0]?.life.unpause();
      case 'interrupt':
        return this.#at(step.worker)?.interrupt();
      case 'tap': {
        const open = world.provider.open();
        const question = open[step.question % Math.max(1, open.length)];
        if (question === undefined) return;
        world.provider.decide(question, step.approve ? 'approve' : 'deny');
        if (step.twice) world.provider.decide(question, 'approve');
        return;
      }
      case 'cancel': {
        const rows = world.approvals();
        const row = rows[step.approval % Math.max(1, rows.length)];
        const worker = this.#at(step.worker);
        if (row === undefined || worker === undefined || worker.life.paused) return;
        void worker.agent.cancelApproval(row.id).catch(() => undefined);
        return;
      }
      case 'wait':
        return world.advance(step.seconds * 1000);
      case 'sleep':
        return world.clock.leap(step.seconds * 1000);
      case 'skew':
        world.machine.skew = step.seconds * 1000;
        return;
      case 'fault':
        return world.network.arm(step.fault);
      case 'provider':
        world.provider.faults.push(step.fault);
        return;
      case 'gateway':
        this.#tally.gatewayKills += 1;
        world.gateway().dieAfter(step.after);
        await world.rest();
        if (!step.down && world.gateway().dead) world.startGateway();
        return;
      case 'price': {
        const symbol = symbols[step.symbol % symbols.length] ?? 'AAPL';
        world.market.setPrice(symbol, (Number(prices[symbol]) * step.factor).toFixed(2));
        world.broker.settle();
        return;
      }
    }
  }

  async #work(step: Step & { do: 'work' }): Promise<void> {
    const index = step.worker % this.#history.workers;
    let worker = this.#workers[index];
    if (worker?.life.paused === true || (worker?.run !== undefined && !worker.run.done)) return;
    worker ??= await this.#hire();
    this.#workers[index] = worker;
    if (this.#world.gateway().dead) this.#world.startGateway();
    const thread = `t${step.thread % this.#history.threads}`;
    const open = this.#world
      .approvals()
      .some((approval) => approval.thread === thread && !isSettled(approval.status));
    const fresh = !this.#begun.has(thread) || (!open && step.prompt % 2 === 0);
    this.#begun.add(thread);
    this.#tally.runs += 1;
    const prompt = prompts[step.prompt] ?? prompts[0];
    worker.begin(fresh ? { prompt, thread } : { resume: thread }, step.detach ? 'detach' : 'wait');
  }

  async #takeOver(step: Takeover): Promise<void> {
    const world = this.#world;
    const stopped = this.#at(step.worker);
    const run = stopped?.run;
    if (stopped === undefined || run === undefined || run.done || stopped.life.paused) return;
    stopped.life.pauseAfter(step.after);
    const [question] = world.provider.open();
    if (step.tap && question !== undefined) world.provider.decide(question, 'approve');
    await world.rest();
    stopped.life.pauseAfter(0);
    world.clock.leap(step.seconds * 1000);
    await world.rest();
    const index = Array.from({ length: this.#history.workers }, (_, n) => n).find((n) => {
      const other = this.#workers[n];
      return other === undefined || (!other.life.paused && other.run?.done !== false);
    });
    if (index === undefined) return;
    const other = this.#workers[index] ?? (await this.#hire());
    this.#workers[index] = other;
    this.#tally.runs += 1;
    if (step.dies > 0) other.life.dieAfter(step.dies);
    other.begin({ resume: run.thread }, 'wait');
    await world.rest();
    if (step.wakes) stopped.life.unpause();
  }

  async #hire(): Promise<Worker> {
    const worker = await startWorker(this.#world);
    this.#everyone.push(worker);
    return worker;
  }

  /** One of those with a run under way, or where nobody works one of those who live. */
  #at(number: number): Worker | undefined {
    const living = this.#workers.filter((worker) => worker !== undefined);
    const busy = living.filter(({ run }) => run?.done === false);
    const choice = busy.length > 0 ? busy : living;
    return choice[number % Math.max(1, choice.length)];
  }

  /** A dead process gives its number to the next one. */
  #mourn(): void {
    this.#workers.forEach((worker, index) => {
      if (worker?.life.dead !== true) return;
      this.#tally.kills += 1;
      // Every other one leaves its handle open, as on a machine that has hung.
      if (index % 2 === 0) worker.bury();
      this.#workers[index] = undefined;
    });
  }

  /** The world becomes well: no faults, all restarted. Then everything must come to an end. */
  async #settle(): Promise<void> {
    const world = this.#world;
    world.network.heal();
    world.provider.faults.length = 0;
    world.machine.skew = 0;
    for (const symbol of symbols) world.market.setPrice(symbol, prices[symbol]);
    world.gateway().dieAfter(0);
    world.startGateway();
    for (const worker of this.#workers) {
      worker?.life.unpause();
      worker?.interrupt();
    }
    const goesOn = () => this.#workers.some((worker) => worker?.run?.done === false && !worker.life.dead);
    for (let turn = 0; turn < 40 && goesOn(); turn++) await world.advance(5_000);
    for (const worker of this.#workers) {
      if (worker?.run !== undefined && !worker.run.done && !worker.life.dead) {
        const open = world.network.sent.filter(
          ({ from, ended }) => from === worker.life && ended === Number.POSITIVE_INFINITY,
        );
        throw new Error(
          `${worker.life.name} goes on 200 seconds after Ctrl-C (${open.map(({ method, path }) => `${method} ${path}`).join(', ')})`,
        );
      }
      if (worker?.run !== undefined) await worker.run.ended;
    }
    for (let round = 0; round < LAST_ROUNDS; round++) {
      const open = [...this.#begun].filter((thread) => this.#isOpen(thread));
      if (open.length === 0 && round > 0) return;
      for (const thread of this.#begun) await this.#resumeTwice(thread, round);
      await world.advance(130_000);
    }
    const left = world.approvals().filter(({ status }) => !isSettled(status));
    throw new Error(
      `never settled: ${left.map(({ id, status, reason }) => `${id} ${status} (${reason})`).join(', ')}`,
    );
  }

  #isOpen(thread: string): boolean {
    return this.#world
      .approvals()
      .some((approval) => approval.thread === thread && !isSettled(approval.status));
  }

  /** Two restarts at once; one is turned away. */
  async #resumeTwice(thread: string, round: number): Promise<void> {
    const world = this.#world;
    const workers = [await this.#hire(), await this.#hire()];
    const runs = workers.map((worker) => worker.begin({ resume: thread }, 'wait'));
    const answer = this.#history.finally;
    const decision = answer !== 'nothing' ? answer : round < 2 ? undefined : 'approve';
    for (let turn = 0; runs.some((run) => !run.done); turn++) {
      if (turn > 400) throw new Error(`resuming ${thread} does not come to an end`);
      await world.rest();
      for (const question of world.provider.open()) {
        if (decision !== undefined) world.provider.decide(question, decision);
      }
      await world.advance(turn < 3 ? 1_000 : 10_000);
    }
    for (const run of runs) await run.ended;
    for (const worker of workers) {
      worker.life.dieAfter(0);
      worker.bury();
    }
  }
}
