import { setTimeout as sleep } from 'node:timers/promises';
import type { CrashCase, Death } from './crash-case.ts';
import type { AuditLine, BookedOrder, CrashWorld } from './crash-world.ts';
import { createPerson, type Tap } from './person.ts';
import type { Ended, Program } from './program.ts';

/** What the agent says of an approval at the end. */
export interface FinalApproval {
  readonly id: string;
  readonly status: string;
  readonly order: { readonly symbol: string; readonly client_order_id: string };
}

/** All that the oracle judges by. */
export interface Played {
  readonly taps: readonly Tap[];
  /** Orders that came into the book during the case. */
  readonly booked: readonly BookedOrder[];
  readonly approvals: readonly FinalApproval[];
  /** What the audit file says of the thread. */
  readonly audit: readonly AuditLine[];
  /** How the last resume ended. */
  readonly status: string;
  readonly kills: number;
}

const settled = ['executed', 'denied', 'expired', 'cancelled', 'blocked'];
/** Just over the time for which the gateway sends nothing again. */
const QUIET_MS = 31_000;
/** Time to settle after the last death. */
const SETTLE_LIMIT_MS = 150_000;

/** Plays one case to its end, and reads what came of it from the broker's book. */
export async function playCase(world: CrashWorld, plan: CrashCase, log: string[]): Promise<Played> {
  const earlier = new Set((await world.book()).map(({ client_order_id }) => client_order_id));
  const thread = plan.name.replace(/[^a-z0-9]/g, '-');
  const person = createPerson(world, (symbol, asked) => {
    const wanted = plan.orders.find((order) => order.symbol === symbol)?.person ?? 'deny';
    return wanted === 'wavers' ? (asked === 1 ? 'approve' : 'deny') : wanted;
  });
  const started: Program[] = [];
  const agent = (args: readonly string[], failpoint?: string): Program => {
    const program = world.agent([...args, '--output', 'json'], failpoint);
    started.push(program);
    log.push(`${args.join(' ')}${failpoint === undefined ? '' : ` (${failpoint})`}`);
    void program.ended.then(
      (end) => log.push(`  ${args[0]} ended: ${summary(end)}`),
      (error: unknown) => log.push(`  ${String(error)}`),
    );
    return program;
  };
  const run = ['run', plan.orders.map(({ text }) => text).join(' and '), '--thread', thread];
  const resume = ['resume', thread];
  let kills = 0;
  let quietUntil = 0;
  try {
    if (plan.tap === 'at once') person.look();
    let next = run;
    if (plan.detached) {
      await agent([...run, '--approval', 'detach']).ended;
      next = resume;
    }
    for (const death of plan.deaths) {
      await waitUntil(quietUntil);
      if (death.victim === 'sandbox') world.arm(death.failpoint);
      const program = agent(next, death.victim === 'agent' ? death.failpoint : undefined);
      if (death.by === 'fail') await awaitFailure(world, program, death);
      else if (await awaitDeath(world, program, death)) kills++;
      if (death.victim === 'sandbox') world.arm('');
      if (death.victim === 'sandbox' && death.by === 'kill') {
        log.push('  sandbox killed');
        if (plan.agentDiesToo || death !== plan.deaths.at(-1)) program.child.kill('SIGKILL');
        await world.restartSandbox();
      }
      if (death.quiet) quietUntil = Date.now() + QUIET_MS;
      next = resume;
    }
    person.look();
    const first = agent(resume);
    await sleep(plan.stagger);
    const last = await settle([first, agent(resume)], () => agent(resume), quietUntil);
    for (const { ended } of started) await ended;
    await person.leave();
    const booked = (await world.book()).filter(({ client_order_id }) => !earlier.has(client_order_id));
    const audit = world.audit().filter((line) => line.thread === thread);
    return { taps: person.taps, booked, approvals: last.approvals, audit, status: last.status, kills };
  } finally {
    for (const { child } of started) if (child.exitCode === null) child.kill('SIGKILL');
    await person.leave().catch(() => undefined);
  }
}

/** @returns whether it died @throws where it lived on although it had to die */
async function awaitDeath(world: CrashWorld, program: Program, death: Death): Promise<boolean> {
  if (death.victim === 'agent') {
    const { signal } = await program.ended;
    if (signal === 'SIGKILL') return true;
    if (death.maySurvive) return false;
    throw new Error(`${death.failpoint} was not reached`);
  }
  const end = await Promise.race([world.sandboxEnded(), program.ended.then(() => undefined)]);
  if (end?.signal === 'SIGKILL') return true;
  throw new Error(`${death.failpoint} was not reached${end === undefined ? '' : `: ended ${end.code}`}`);
}

/** Where an error is thrown instead, everybody lives, and the program comes to an end of its own. */
async function awaitFailure(world: CrashWorld, program: Program, death: Death): Promise<void> {
  const { stderr } = await program.ended;
  const said = death.victim === 'agent' ? stderr : world.sandboxSaid();
  if (!said.includes(`failpoint ${death.at}: fail`)) throw new Error(`${death.failpoint} was not reached`);
}

interface RunAnswer {
  readonly status: string;
  readonly approvals: readonly FinalApproval[];
}

/** Resumes again, as its own answer asks, until nothing of the thread is open. */
async function settle(
  first: readonly Program[],
  again: () => Program,
  quietUntil: number,
): Promise<RunAnswer> {
  const deadline = Date.now() + SETTLE_LIMIT_MS;
  let answers = (await Promise.all(first.map(({ ended }) => ended))).map(answerOf);
  for (let pause = 100; ; pause = Math.min(pause * 2, 5_000)) {
    const done = answers.find(
      (answer) =>
        answer !== undefined &&
        !['pending', 'unknown'].includes(answer.status) &&
        answer.approvals.every(({ status }) => settled.includes(status)),
    );
    // Once more, alone: the answer that counts is what the thread says when all is over.
    if (done !== undefined) {
      const last = answerOf(await again().ended);
      if (last === undefined) throw new Error('a settled thread can no longer be resumed');
      return last;
    }
    if (Date.now() > deadline) throw new Error('the thread never settled');
    await waitUntil(quietUntil);
    await sleep(pause);
    answers = [answerOf(await again().ended)];
  }
}

/** Undefined where another run held the thread. */
function answerOf({ code, stdout, stderr }: Ended): RunAnswer | undefined {
  if (code === 12) return undefined;
  try {
    const answer = JSON.parse(stdout);
    if (answer.schema === 'trade-agent.run/1') return answer;
  } catch {
    // Told below.
  }
  throw new Error(`a resume ended with ${code}: ${stdout}${stderr}`);
}

/** One line for the report. */
function summary({ code, signal, stdout, stderr }: Ended): string {
  if (signal !== null) return signal;
  try {
    const { status, approvals, error } = JSON.parse(stdout);
    const each = (approvals as FinalApproval[]).map((one) => `${one.order.symbol} ${one.status}`);
    return [code, status, ...each, error?.message].filter((part) => part !== undefined).join(', ');
  } catch {
    return `${code}, ${stdout.slice(0, 500)}${stderr.slice(-500)}`;
  }
}

const waitUntil = (time: number) => sleep(Math.max(0, time - Date.now()));
