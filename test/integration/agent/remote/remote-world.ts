import { onTestFinished } from 'vitest';
import type { Agent, RunInput, RunOptions } from '../../../../src/agent/agent.ts';
import type { AgentEvent } from '../../../../src/agent/events.ts';
import { createRemoteAgent, type RemoteAgentOptions } from '../../../../src/agent/remote/remote-agent.ts';
import { generatePrivateJwk } from '../../../../src/auth/session/dpop-key.ts';
import { createDpopProver } from '../../../../src/auth/session/dpop-proof.ts';
import { sendToGateway } from '../../../../src/auth/session/gateway-request.ts';
import type { Session } from '../../../../src/auth/session/session.ts';
import { type Clock, systemClock } from '../../../../src/machine/clock.ts';
import { profileAt, sessionOf } from '../session.ts';
import { AgentServer } from './agent-server.ts';

/** Only the silence watch (45 s) and the time to end (15 s) take their time. */
export const hurriedClock: Clock = {
  now: () => Date.now(),
  monotonic: () => Date.now(),
  sleep: (ms, signal) => systemClock.sleep(ms <= 30_000 && ms !== 15_000 ? 1 : ms, signal),
};

export async function remoteWorld(
  local: Partial<Agent> | ((made: object) => Promise<Agent>),
  options: Partial<RemoteAgentOptions> = {},
): Promise<{ readonly server: AgentServer; readonly agent: Agent }> {
  const agentFor = typeof local === 'function' ? local : async () => local as Agent;
  const server = await new AgentServer(agentFor).start();
  onTestFinished(() => server.stop());
  const session = await sessionAt(server.url);
  return { server, agent: createRemoteAgent({ session, clock: hurriedClock, ...options }) };
}

/** Errors say whether the request was sent, as a real session's do. */
async function sessionAt(url: string): Promise<Session> {
  const prover = createDpopProver(await generatePrivateJwk(), systemClock);
  const token = { value: 'a-token', type: 'bearer' } as const;
  return {
    ...sessionOf(profileAt(url)),
    fetch: (to, init) => sendToGateway({ fetch, prover, token, url: new URL(to), init, timeoutMs: 10_000 }),
  };
}

/** Holds before the last event if asked to; a stopped run ends as interrupted. */
export function telling(
  events: readonly AgentEvent[],
  options: {
    readonly asked?: (input: RunInput | string, options: RunOptions) => void;
    readonly holds?: boolean;
  } = {},
): Partial<Agent> {
  async function* tell(input: RunInput | string, runOptions: RunOptions): AsyncGenerator<AgentEvent> {
    options.asked?.(input, runOptions);
    const last = events.at(-1);
    yield* events.slice(0, -1);
    if (options.holds) await untilAborted(runOptions.signal);
    if (last?.type !== 'result') return;
    const error = { code: 'interrupted', message: 'the run was stopped' } as const;
    yield runOptions.signal.aborted ? { type: 'result', result: { ...last.result, status: 'pending', error } } : last;
  }
  return {
    run: (input, runOptions) => tell(input, runOptions),
    resume: (thread, runOptions) => tell(thread, runOptions),
  };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
