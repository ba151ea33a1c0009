import type { ProposalRequestInput } from '../../src/trading/proposal.ts';
import { isSettledState } from '../../src/trading/proposal.ts';
import { Client, identities } from './client.ts';
import type { Tally } from './history.ts';
import type { Life } from './life.ts';
import { lookAtAccounts, type MandateHands, sweepAccounts, takeMandateStep } from './mandate-player.ts';
import { placing } from './placing.ts';
import type { Question } from './questions.ts';
import { bodies, type History, type MandateStep, type Step } from './steps.ts';
import { prices, symbols, type World } from './world.ts';

/** How long before the end of a question the gateway is awake again. */
const SILENCE_END_MS = 5_000;
/** Rounds after which a world without faults must have settled everything. */
const LAST_ROUNDS = 24;

interface Ask {
  readonly client: number;
  readonly key: string;
  readonly request: ProposalRequestInput;
  readonly gateway: number;
}

type OfPeople =
  | ('propose' | 'repeat' | 'change' | 'withdraw' | 'look' | 'halt' | 'haltBegun' | 'lift' | 'overslept')
  | ('tap' | 'race' | 'ping' | 'wait' | 'price');

export class Player {
  readonly #world: World;
  readonly #history: History;
  readonly #tally: Tally;
  readonly #clients = new Map<number, Client>();
  readonly #asks: Ask[] = [];
  /** What ends that a gateway's clock is wrong, by its number. */
  readonly #unskew = new Map<number, () => void>();
  /** What ends that a price is another one, by its symbol. */
  readonly #unprice = new Map<string, () => void>();
  /** What ends that a gateway's process is down, by its number. */
  readonly #up = new Map<number, () => void>();
  readonly #hands: MandateHands;

  constructor(world: World, history: History, tally: Tally) {
    this.#world = world;
    this.#history = history;
    this.#tally = tally;
    this.#hands = {
      world,
      client: (number) => this.#client(number),
      ask: (client, request, { watch, gateway = 0 }) => this.#ask(client, request, watch, gateway),
    };
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
    const { questions } = world.provider;
    switch (step.do) {
      case 'propose':
        return this.#propose(step);
      case 'repeat':
        return this.#repeat(step);
      case 'change':
        return this.#change(step);
      case 'withdraw':
      case 'look': {
        const { who } = this.#client(step.client);
        if (step.do === 'withdraw' && step.overtaken === true) world.overtakeWithdrawal();
        const id = pick(
          (await world.proposals()).filter(({ sub }) => sub === who.sub),
          step.proposal,
        )?.id;
        if (id !== undefined) void this.#client(step.client)[step.do](id);
        return;
      }
      case 'halt':
        void this.#client(step.client).halt();
        return;
      case 'haltBegun':
        return this.#haltBegun(step);
      case 'overslept':
        return this.#oversleep(step);
      case 'lift':
        return this.#ask(step.client, { kind: 'lift', lift: {} }, true);
      case 'mandate':
      case 'under':
      case 'takeBack':
      case 'overtaken':
      case 'batch':
      case 'midnight':
        return takeMandateStep(this.#hands, step);
      case 'tap': {
        const question = pick(questions.open(), step.question);
        if (question === undefined) return;
        questions.decide(question, step.tap === 'deny' ? 'deny' : 'approve');
        if (step.tap === 'both') questions.decide(question, 'deny');
        return;
      }
      case 'race':
        return this.#race(step);
      case 'ping':
        return this.#ping(step);
      case 'wait':
        return world.advance(step.seconds * 1000);
      case 'price': {
        const symbol = symbols[step.symbol % symbols.length] ?? 'AAPL';
        this.#unprice.get(symbol)?.();
        if (step.factor === 1) this.#unprice.delete(symbol);
        else this.#unprice.set(symbol, world.hinder('price'));
        world.market.setPrice(symbol, (Number(prices[symbol]) * step.factor).toFixed(2));
        world.broker.settle();
        return;
      }
      default:
        return this.#trouble(step);
    }
  }

  async #trouble(step: Exclude<Step, { do: OfPeople | MandateStep['do'] }>): Promise<void> {
    const world = this.#world;
    switch (step.do) {
      case 'kill':
        return this.#clients.get(step.client)?.life.dieAfter(step.after);
      case 'gateway':
        return this.#endGateway(step);
      case 'start':
        return this.#startGateway(step.number);
      case 'pause': {
        const life = this.#gateway(step.number);
        if (life === undefined) return;
        const over = world.hinder('pause');
        life.pauseAfter(step.after);
        await world.rest();
        life.pauseAfter(0);
        const wake = world.standStill();
        await world.advance(step.seconds * 1000);
        wake();
        life.unpause();
        await world.rest();
        return over();
      }
      case 'brink': {
        const row = pick(
          (await world.proposals()).filter(({ state }) => !isSettledState(state)),
          step.row,
        );
        if (row === undefined) return;
        this.#skew(-20_000);
        const left = row.deadline + step.seconds * 1000 - world.clock.now();
        if (left > 0) await world.advance(left);
        return;
      }
      case 'sleep':
        return world.suspend(step.seconds * 1000);
      case 'skew':
        return this.#skew(step.seconds * 1000, step.number);
      case 'fault':
        return world.network.arm(step.fault);
      case 'part':
        if (step.leg !== 'agent-gateway') world.hinder('part', step.seconds * 1000);
        return world.network.part(step.leg, step.seconds * 1000);
      case 'provider':
        world.provider.faults.push(step.fault);
        return;
      case 'storeAway': {
        const away = () => {
          if (this.#gateway(step.number)?.dead === false) world.loseStore(step.seconds * 1000, step.number);
        };
        if (step.atAnswer) world.provider.atAnswer.push(away);
        else away();
        return;
      }
    }
  }

  #propose({ client, body, ttl, typed, watch }: Step & { do: 'propose' }): void {
    const order = bodies[body % bodies.length] ?? bodies[0];
    const provenance = typed ? { fields: { symbol: { source: 'user' as const } } } : undefined;
    this.#ask(client, { kind: 'order', order, ttl, ...(provenance === undefined ? {} : { provenance }) }, watch);
  }

  #ask(client: number, request: ProposalRequestInput, watch: boolean, gateway = 0): void {
    const key = `key-${this.#asks.length}`;
    this.#asks.push({ client, key, request, gateway });
    void this.#client(client).propose(key, request, watch, gateway);
  }

  #repeat({ ask, other, times }: Step & { do: 'repeat' }): void {
    const earlier = pick(this.#asks, ask);
    if (earlier === undefined) return;
    const { key, request, gateway } = earlier;
    const again: ProposalRequestInput = other
      ? { kind: 'order', order: bodies[ask % bodies.length] ?? bodies[0], ttl: 77 }
      : request;
    // The other agent of the same person may be a second process of the same client.
    for (let n = 0; n < times; n++) {
      const twin = earlier.client < 2 ? (earlier.client + n) % 2 : earlier.client;
      void this.#client(twin).propose(key, again, false, gateway + n);
    }
  }

  #change({ client, order, replace }: Step & { do: 'change' }): void {
    const open = this.#world.broker.book().filter(({ status }) => status === 'new' || status === 'accepted');
    const found = pick(open, order);
    if (found === undefined) return;
    const { id: order_id } = found;
    const request: ProposalRequestInput = replace
      ? { kind: 'replace', replace: { order_id, qty: '2' } }
      : { kind: 'cancel', cancel: { order_id } };
    this.#ask(client, request, true);
  }

  async #race({ question: number, tapFirst, halt }: Step & { do: 'race' }): Promise<void> {
    const world = this.#world;
    const { questions } = world.provider;
    const question = pick(questions.open(), number);
    const row = question === undefined ? undefined : await rowOf(world, question);
    if (question === undefined || row === undefined) return;
    const client = this.#client(row.sub === 'bob' ? 3 : 0);
    const takeBack = () => void (halt ? client.halt() : client.withdraw(row.id));
    if (!tapFirst) takeBack();
    questions.decide(question, 'approve');
    if (tapFirst) takeBack();
  }

  async #haltBegun({ question: number, kind }: Step & { do: 'haltBegun' }): Promise<void> {
    const world = this.#world;
    const { questions } = world.provider;
    const question = pick(questions.open(), number);
    const row = question === undefined ? undefined : await rowOf(world, question);
    if (question === undefined || row === undefined) return;
    world.network.arm({ leg: 'gateway-broker', kind, after: 0, writesOnly: true, seconds: 3 });
    questions.decide(question, 'approve');
    await world.advance(world.options.interval * 1000);
    void this.#client(row.sub === 'bob' ? 3 : 0).halt();
  }

  async #oversleep({ by, kind, seconds, sleep }: Step & { do: 'overslept' }): Promise<void> {
    const world = this.#world;
    const [question] = world.provider.questions.open();
    if (by === 'tap' && question === undefined) return;
    world.network.arm({ leg: 'gateway-broker', kind, after: 0, writesOnly: true, seconds, frozen: true });
    if (by === 'tap' && question !== undefined) {
      world.provider.questions.decide(question, 'approve');
      await world.advance(world.options.delivery === 'ping' ? 1 : world.options.interval * 1000);
    } else {
      const order = { body: 0, mandate: 'any', slot: 'none', only: true, ttl: 60, times: 1 } as const;
      await takeMandateStep(this.#hands, { do: 'under', client: 0, gateway: 0, ...order });
      await world.rest();
    }
    await world.suspend(sleep * 1000);
  }

  async #ping({ question: number, how }: Step & { do: 'ping' }): Promise<void> {
    const { questions } = this.#world.provider;
    const question = pick(questions.all, number);
    if (how === 'stray') questions.ping({ id: 'no-such-question', notificationToken: 'no-such-token' });
    if (question === undefined) return;
    if (how === 'again') questions.ping(question);
    if (how === 'forged') questions.ping({ id: question.id, notificationToken: 'guessed' });
  }

  /** A process of the gateway's that has been started; undefined where there is none of that number. */
  #gateway(number = 0): Life | undefined {
    const world = this.#world;
    return number < world.gateways() ? world.gateway(number) : undefined;
  }

  async #endGateway({ how, after, down, number = 0 }: Step & { do: 'gateway' }): Promise<void> {
    const world = this.#world;
    const life = this.#gateway(number);
    if (life === undefined) return;
    this.#tally.gatewayKills += 1;
    const over = world.hinder(how);
    if (how === 'kill') life.dieAfter(after);
    else if (!life.dead) await world.closeGateway(number);
    await world.rest();
    this.#up.set(number, over);
    if (!down && this.#gateway(number)?.dead) this.#startGateway(number);
  }

  #startGateway(number = 0): void {
    const world = this.#world;
    const known = this.#gateway(number);
    if (known !== undefined && !known.dead) return;
    world.startGateway(number);
    this.#up.get(number)?.();
    // Whatever it was at is taken up only now.
    if (known !== undefined) world.hinder('start', 40_000);
  }

  #skew(ms: number, number = 0): void {
    const world = this.#world;
    this.#unskew.get(number)?.();
    world.machine(number).skew = ms;
    this.#unskew.set(number, world.hinder('skew'));
  }

  #client(number: number): Client {
    const index = number % identities.length;
    const known = this.#clients.get(index);
    if (known !== undefined && !known.life.dead) return known;
    const client = new Client(this.#world, identities[index] ?? identities[0]);
    this.#clients.set(index, client);
    return client;
  }

  #mourn(): void {
    for (const [index, { life }] of this.#clients) {
      if (!life.dead) continue;
      this.#tally.kills += 1;
      this.#clients.delete(index);
    }
  }

  /** The world becomes well: no faults, all up. Then everything must come to an end. */
  async #settle(): Promise<void> {
    const world = this.#world;
    const { restart } = this.#history;
    world.network.heal();
    world.provider.faults.length = 0;
    world.provider.atAnswer.length = 0;
    // Set right is set another time: who waits by the clock may wait longer, or shorter.
    for (const number of this.#unskew.keys()) if (world.machine(number).skew !== 0) this.#skew(0, number);
    for (const over of this.#unskew.values()) over();
    for (const symbol of symbols) world.market.setPrice(symbol, prices[symbol]);
    // One that is to die at some later point does not do so any more.
    for (let number = 0; number < world.gateways(); number++) {
      const life = world.gateway(number);
      if (!life.dead) life.dieAfter(Number.POSITIVE_INFINITY);
      if (restart) life.dieAfter(0);
      this.#startGateway(number);
    }
    await this.#untilNothingIsOpen();
    // What is late arrives, and is found in the book by a gateway that starts; or it made an agent's request a new proposal.
    if (world.network.inProgress > 0) {
      await world.advance(world.network.inProgress);
      await this.#untilNothingIsOpen();
    }
    for (let tries = 0; tries < 2 && (await isMissed(world)); tries++) await this.#startAnew();
    if (world.options.mandates !== undefined) await sweepAccounts(world);
    for (const { life } of this.#clients.values()) life.dieAfter(0);
  }

  /** Everybody's eye is on it until nothing is open any more. @throws {Error} where that never comes */
  async #untilNothingIsOpen(): Promise<void> {
    const world = this.#world;
    const { finally: answer } = this.#history;
    const open = async () => (await world.proposals()).filter(({ state }) => !isSettledState(state));
    for (let round = 0; round < LAST_ROUNDS; round++) {
      const left = await open();
      if (left.length === 0 && round > 0) break;
      for (const { id, sub } of left) void this.#client(sub === 'bob' ? 3 : 0).look(id);
      await world.rest();
      for (const question of world.provider.questions.open()) {
        if (answer !== 'nothing') world.provider.questions.decide(question, answer);
      }
      await this.#skipSilence();
      await world.advance(round < 3 ? 10_000 : 200_000);
    }
    const left = await open();
    if (left.length > 0) {
      const all = left.map(({ id, kind, state, reason }) => `${id} ${kind} ${state} (${reason?.text})`);
      throw new Error(`never settled: ${all.join(', ')}; ${world.troubles.join(', ')}`);
    }
  }

  /** Nobody answers: sleeps until shortly before the first question runs out, to save thousands of polls. */
  async #skipSilence(): Promise<void> {
    const world = this.#world;
    const left = (await world.proposals()).filter(({ state }) => !isSettledState(state));
    const open = world.provider.questions.open().length;
    const isSilent = left.length > 0 && left.every(({ state }) => state === 'requested') && open === left.length;
    if (!isSilent) return;
    const ends = Math.min(...left.map(({ deadline }) => deadline));
    const ms = ends - SILENCE_END_MS - world.clock.now();
    if (ms > 0) await world.skip(ms);
  }

  /** The gateway starts again, and everybody has it look at their account. */
  async #startAnew(): Promise<void> {
    const world = this.#world;
    for (let number = 0; number < world.gateways(); number++) {
      world.gateway(number).dieAfter(0);
      this.#startGateway(number);
    }
    await world.advance(10_000);
    await lookAtAccounts(world);
    // A broker that is opened by sign-in is asked once the owner comes by; that is noticed within half a minute.
    const latest = new Map((await world.proposals()).map(({ sub, id }) => [sub, id]));
    for (const [sub, id] of latest) void this.#client(sub === 'bob' ? 3 : 0).look(id);
    await world.advance(40_000);
    await this.#untilNothingIsOpen();
  }
}

/** Whether an order is in the book of which its proposal, or the journal, does not say so. */
async function isMissed(world: World): Promise<boolean> {
  const known = placing(await world.proposals());
  const placed = new Set(
    world.kept().reservations.flatMap((one) => (one.state === 'placed' ? [one.client_order_id] : [])),
  );
  return world.broker
    .book()
    .some(({ client_order_id: id }) => (known.get(id)?.row.state ?? 'executed') !== 'executed' || !placed.has(id));
}

/** The proposal that a question is about, by the code that both show. */
async function rowOf(world: World, { bindingMessage }: Question) {
  const code = bindingMessage.slice(-4);
  return (await world.proposals()).find((row) => row.code === code);
}

function pick<T>(from: readonly T[], number: number): T | undefined {
  return from[number % Math.max(1, from.length)];
}
