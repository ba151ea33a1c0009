import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Agent, ApprovalMode, RunOptions } from '../../../src/agent/agent.ts';
import type { AgentEvent, RunResult } from '../../../src/agent/events.ts';
import { type CreateAgentOptions, createAgent, createAgentOnStores } from '../../../src/agent/run/create-agent.ts';
import type { Session } from '../../../src/auth/session/session.ts';
import type { ResolvedProfile } from '../../../src/config/profile.ts';
import { type Clock, systemClock } from '../../../src/machine/clock.ts';
import type { ClosableStateStores } from '../../../src/store/state-stores.ts';
import { defined } from '../../../src/values/defined.ts';
import { GatewayStandIn } from './gateway-stand-in.ts';
import type { Decision, ProposalsStandIn } from './proposals-stand-in.ts';
import { profileAt, sessionOf } from './session.ts';

export interface World {
  readonly gateway: GatewayStandIn;
  readonly phone: ProposalsStandIn;
  readonly folder: string;
  readonly key: Buffer;
  readonly profile: ResolvedProfile;
  readonly session: Session;
  /** On the same files, as a new process would have it. */
  agent(options?: Partial<CreateAgentOptions>): Promise<Agent>;
  run(prompt: string, options?: RunWith, onEvent?: (event: AgentEvent) => void): Promise<Played>;
  resume(thread: string, options?: RunWith, onEvent?: (event: AgentEvent) => void): Promise<Played>;
}

type RunWith = ApprovalMode | (Partial<RunOptions> & { readonly thread?: string; readonly context?: string });

/** Opens the state of a new person; SQLite by default. */
let openStates: (() => Promise<() => Promise<ClosableStateStores>>) | undefined;

export function keepThreadsIn(open: NonNullable<typeof openStates>): void {
  openStates = open;
}

/** Wraps this file's agents. */
let reach: ((agent: Agent) => Promise<Agent>) | undefined;

export function reachAgentsBy(way: NonNullable<typeof reach>): void {
  reach = way;
}

/**
 * A gateway with its person, and a home of their own for one test, gone when it ends.
 * @param decision the person's on each proposal; without one they wait to be told
 */
export async function createWorld(decision?: Decision): Promise<World> {
  const gateway = await new GatewayStandIn().start();
  const phone = gateway.proposals;
  phone.auto = () => decision;
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-test-'));
  const key = randomBytes(32);
  const profile = profileAt(gateway.url);
  const session = sessionOf(profile);
  const agents: Agent[] = [];
  const openState = await openStates?.();
  onTestFinished(async () => {
    for (const agent of agents) await agent.close();
    await gateway.stop();
    rmSync(folder, { recursive: true });
  });
  const world: World = {
    gateway,
    phone,
    folder,
    key,
    profile,
    session,
    async agent(options = {}) {
      const all = {
        ...{ profile, session, env: {}, clock: quickClock() },
        ...{ stateDb: join(folder, 'state.db'), databaseKey: key },
        ...options,
      };
      const agent = openState === undefined ? await createAgent(all) : createAgentOnStores(await openState(), all);
      agents.push(agent);
      return (await reach?.(agent)) ?? agent;
    },
    async run(prompt, given, onEvent) {
      const { thread, context, ...more } = typeof given === 'string' ? { approval: given } : (given ?? {});
      const input = { prompt, ...defined({ thread, context }) };
      return await play((await world.agent()).run(input, { ...options(), ...more }), onEvent);
    },
    async resume(thread, given, onEvent) {
      const more = typeof given === 'string' ? { approval: given } : given;
      return await play((await world.agent()).resume(thread, { ...options(), ...more }), onEvent);
    },
  };
  return world;
}

/** Real time plus `ahead` seconds, with fifty times shorter waits. */
export function quickClock(ahead = 0): Clock {
  return {
    now: () => Date.now() + ahead * 1000,
    monotonic: () => Date.now() + ahead * 1000,
    sleep: (ms, signal) => systemClock.sleep(ms / 50, signal),
  };
}

export interface Played {
  readonly events: AgentEvent[];
  readonly result: RunResult;
}

export async function play(events: AsyncIterable<AgentEvent>, onEvent?: (event: AgentEvent) => void): Promise<Played> {
  const seen: AgentEvent[] = [];
  for await (const event of events) {
    seen.push(event);
    onEvent?.(event);
  }
  const last = seen.at(-1);
  if (last?.type !== 'result') throw new Error('a run must end with its result');
  return { events: seen, result: last.result };
}

export function options(approval: ApprovalMode = 'wait', signal = new AbortController().signal): RunOptions {
  return { approval, signal };
}
