import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PhoneRequest } from '../../src/home/phone/phone-client.ts';
import { isSettledState, type ProposalState } from '../../src/trading/proposal.ts';
import type { CrashCase, Death } from './crash-case.ts';
import type { BookedOrder, CrashWorld } from './crash-world.ts';
import type { AuditLine, GatewayProposal } from './gateway-book.ts';
import { answered, PATIENCE_MS, saidLate, TooLate, until } from './patience.ts';
import { type Asked, createPerson, type Tap } from './person.ts';
import type { Program } from './program.ts';
import { answerOf, type RunAnswer, summary } from './run-answer.ts';

/** A question as the phone has it at the end. */
export interface Question extends Asked {
  readonly status: PhoneRequest['status'];
  readonly outcome: PhoneRequest['outcome'];
}

/** All that the oracle judges by. */
export interface Played {
  readonly taps: readonly Tap[];
  readonly questions: readonly Question[];
  /** Question and row as they stood once all was over and nobody had looked yet. */
  readonly alone: { readonly questions: readonly Question[]; readonly proposals: readonly GatewayProposal[] };
  /** Orders that came into the book during the case. */
  readonly booked: readonly BookedOrder[];
  /** The gateway's own rows. */
  readonly proposals: readonly GatewayProposal[];
  /** What the thread says when all is over. */
  readonly answer: RunAnswer;
  /** What the gateway's audit file says of the proposals. */
  readonly audit: readonly AuditLine[];
  /** Undefined where the chain holds. */
  readonly auditFault: string | undefined;
  readonly kills: number;
  /** Whether the program said of an order of the prompt that it was not even proposed: something took too long to answer. */
  readonly isLate: boolean;
}

/** Plays one case to its end, and reads what came of it from the broker's book. */
export async function playCase(world: CrashWorld, plan: CrashCase, log: string[]): Promise<Played> {
  const began = Date.now();
  const note = (line: string) => log.push(`${((Date.now() - began) / 1000).toFixed(1).padStart(5)} ${line}`);
  const play = await begin(world, plan, note);
  const { person, thread } = play;
  try {
    const { kills, running } = await die(play);
    person.look();
    if (plan.alone) {
      await running?.ended;
      await until(
        () => play.proposals().every(({ state }) => isSettledState(state)),
        () => `with nobody there it stands at ${play.proposals().map(({ symbol, state }) => `${symbol} ${state}`)}`,
      );
      note(`  alone: ${play.proposals().map(({ symbol, state }) => `${symbol} ${state}`)}`);
    }
    const alone = plan.alone
      ? { questions: await toldOutcomes(play), proposals: play.proposals() }
      : { questions: [], proposals: [] };
    const resume = () => play.agent(['resume', thread]);
    const first = resume();
    await sleep(plan.stagger);
    const answer = await settle([first, resume()], resume);
    await play.over();
    const questions = await toldOutcomes(play);
    await person.leave();
    const proposals = play.proposals();
    const ids = new Set(proposals.map(({ id }) => id));
    const verified = await world.gateway.verify();
    return {
      taps: person.taps,
      questions,
      alone,
      booked: await play.booked(),
      proposals,
      answer,
      audit: world.gateway.audit().filter(({ proposal }) => ids.has(proposal)),
      isLate: play.isShort() && play.saysLate(),
      auditFault: verified.ok ? undefined : `line ${verified.line} of the audit file was ${verified.what}`,
      kills,
    };
  } finally {
    play.end();
    await person.leave().catch(() => undefined);
  }
}

export type Play = Awaited<ReturnType<typeof begin>>;

/** What a case works with. */
export async function begin(world: CrashWorld, plan: CrashCase, note: (line: string) => void) {
  // A question that an earlier case left open would be answered now, and bring this case's death too early.
  for (const { id, state } of world.gateway.proposals()) {
    if (!isSettledState(state)) await takeBack((args) => world.agent([...args, '--output', 'json']), id);
  }
  const inBook = new Set((await world.book()).map(({ client_order_id }) => client_order_id));
  const there = new Set(world.gateway.proposals().map(({ id }) => id));
  const started: Program[] = [];
  const agent = (args: readonly string[], failpoint?: string): Program => {
    const program = world.agent([...args, '--output', 'json'], failpoint);
    started.push(program);
    note(`${args.join(' ')}${failpoint === undefined ? '' : ` (${failpoint})`}`);
    void program.ended.then(
      (end) => note(`  ${args[0]} ended: ${summary(end)}`),
      (error: unknown) => note(`  ${String(error)}`),
    );
    return program;
  };
  const proposals = () => world.gateway.proposals().filter(({ id }) => !there.has(id));
  const takingBack: Promise<void>[] = [];
  const person = createPerson(world, ({ proposal, subject }, asked) => {
    const wanted = plan.orders.find(({ symbol }) => symbol === subject.symbol)?.person ?? 'deny';
    if (wanted === 'withdraw' || wanted === 'both') takingBack.push(takeBack(agent, proposal));
    if (wanted === 'withdraw') return undefined;
    if (wanted === 'wavers') return asked === 1 ? 'approve' : 'deny';
    return wanted === 'both' ? 'approve' : wanted;
  });
  return {
    world,
    plan,
    note,
    thread: `${plan.name.replace(/[^a-z0-9]/g, '-')}-${randomUUID().slice(0, 4)}`,
    agent,
    person,
    proposals,
    booked: async () => (await world.book()).filter(({ client_order_id }) => !inBook.has(client_order_id)),
    /** Once its run has ended: what is proposed is proposed by then. */
    isShort: () => proposals().length < plan.orders.length,
    saysLate: () => started.some((one) => saidLate(one.said())),
    async over() {
      await Promise.all(takingBack);
      for (const { ended } of started) await ended;
    },
    end() {
      for (const { child } of started) if (child.exitCode === null) child.kill('SIGKILL');
    },
  };
}

/** The run that a case is about. */
export function runOf({ orders, underMandate }: CrashCase, thread: string): string[] {
  const run = ['run', orders.map(({ text }) => text).join(' and '), '--thread', thread];
  return underMandate === true ? [...run, '--approval', 'mandate'] : run;
}

/** Lets everybody die who has to, and starts the sandbox again. @returns the agent that still runs */
export async function die(play: Play) {
  const { world, plan, note, thread, agent, person } = play;
  const run = runOf(plan, thread);
  const [first] = plan.deaths;
  let hasRun = false;
  const isShort = () => hasRun && play.isShort();
  if (plan.detached) {
    await agent([...run, '--approval', 'detach']).ended;
    hasRun = true;
  }
  let program: Program | undefined;
  let kills = 0;
  for (const death of plan.deaths) {
    const ofSandbox = death.victim === 'sandbox';
    const said = world.sandboxSaid();
    if (ofSandbox) world.arm(death.failpoint);
    // A gateway that starts again takes up by itself what it left: nobody need be there for the second death.
    if (death !== first) world.restartSandbox().catch(() => undefined);
    else if (!ofSandbox) program = agent(plan.detached ? ['resume', thread] : run, death.failpoint);
    else if (!plan.detached) program = agent(run);
    void program?.ended.then(
      ({ signal }) => {
        hasRun ||= signal === null;
      },
      () => undefined,
    );
    if (plan.tap === 'at once') person.look();
    const died = ofSandbox
      ? await sandboxDeath(play, death, said, isShort)
      : await agentDeath(play, program as Program, death);
    if (!died) continue;
    kills++;
    note(`  ${death.victim} killed at ${death.at}`);
    if (ofSandbox && plan.agentDiesToo) program?.child.kill('SIGKILL');
  }
  world.arm('');
  const isDead = (await Promise.race([world.sandboxEnded(), Promise.resolve()])) !== undefined;
  if (isDead) await world.restartSandbox();
  return { kills, running: program };
}

/** @returns whether it died; not where an error was thrown instead @throws where it lived on although it had to die */
async function agentDeath(play: Play, program: Program, death: Death): Promise<boolean> {
  const { signal, stderr } = await program.ended;
  if (death.by === 'fail') {
    if (stderr.includes(`failpoint ${death.at}: fail`)) return false;
  } else if (signal === 'SIGKILL') return true;
  if (death.maySurvive) return false;
  if (play.isShort()) throw await shortfall(play);
  throw new Error(`${death.failpoint} was not reached`);
}

/** @param said what the sandbox had said before it was told to die: an earlier case may have had the same failpoint */
async function sandboxDeath(play: Play, death: Death, said: string, isShort: () => boolean): Promise<boolean> {
  const { world } = play;
  const ended = world.sandboxEnded();
  let signal: NodeJS.Signals | null | undefined;
  void ended.then((end) => {
    signal = end.signal;
  });
  const news = () => {
    const now = world.sandboxSaid();
    return now.startsWith(said) ? now.slice(said.length) : now;
  };
  const passed = () => news().includes(`failpoint ${death.at}: ${death.by}`);
  const isOver = () => (death.by === 'kill' ? signal !== undefined : passed());
  await until(
    () => isOver() || isShort(),
    () => `${death.failpoint} was not reached`,
  );
  if (!isOver()) throw await shortfall(play);
  if (death.by === 'fail') return false;
  if (signal === 'SIGKILL') return true;
  throw new Error(`${death.failpoint} was not reached: the sandbox ended by itself: ${world.sandboxSaid()}`);
}

/** Why less was proposed than the prompt asks for: the thread says so at the latest when all else of it is over. */
async function shortfall({ world, thread, agent, person, saysLate }: Play): Promise<Error> {
  world.arm('');
  person.look();
  const resume = () => agent(['resume', thread]);
  if (!saysLate()) await settle([resume()], resume);
  return saysLate() ? new TooLate() : new Error('less was proposed than was asked for, and nobody says why');
}

/** Takes a proposal back at the terminal, until the gateway has heard of it. */
async function takeBack(agent: Play['agent'], proposal: string): Promise<void> {
  for (;;) {
    const { code, stdout, stderr } = await agent(['approvals', 'cancel', proposal]).ended;
    // Taken back; too late, for it has ended; too late, for it is on its way.
    if (code === 0 || code === 2 || code === 10) return;
    if (code === null || !`${stdout}${stderr}`.includes('unreachable')) {
      throw new Error(`taking back ended with ${code}: ${stdout}${stderr}`);
    }
    await sleep(100);
  }
}

/** Resumes again, as its own answer asks, until nothing of the thread is open. */
export async function settle(first: readonly Program[], again: () => Program): Promise<RunAnswer> {
  const deadline = Date.now() + PATIENCE_MS;
  let answers = (await Promise.all(first.map(({ ended }) => ended))).map(answerOf);
  for (let pause = 100; ; pause = Math.min(pause * 2, 5_000)) {
    const done = answers.find(
      (answer) =>
        answer !== undefined &&
        !['pending', 'unknown'].includes(answer.status) &&
        answer.approvals.every(({ status }) => isSettledState(status as ProposalState)),
    );
    // Once more, alone: the answer that counts is what the thread says when all is over.
    const last = done === undefined ? undefined : answerOf(await again().ended);
    if (last !== undefined) return last;
    if (Date.now() > deadline) throw new Error('the thread never settled');
    await sleep(pause);
    answers = [answerOf(await again().ended)];
  }
}

/** What the phone shows of each question, once it has been told. */
async function toldOutcomes({ world, person, proposals }: Play): Promise<Question[]> {
  const look = () =>
    Promise.all(
      person.asked.map(async (asked): Promise<Question> => {
        const { status, outcome } = await answered(() => world.phone.request(asked.id));
        return { ...asked, status, outcome };
      }),
    );
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const questions = await look();
    const market = new Set(proposals().flatMap(({ id, type }) => (type === 'market' ? [id] : [])));
    const isTold = ({ status, outcome, proposal }: Question) => {
      if (status !== 'approved') return status !== 'pending';
      if (outcome === null || ['executing', 'unknown'].includes(outcome.state)) return false;
      return outcome.state !== 'executed' || !market.has(proposal) || outcome.text.startsWith('filled');
    };
    if (questions.every(isTold) || Date.now() > deadline) return questions;
    await sleep(50);
  }
}
