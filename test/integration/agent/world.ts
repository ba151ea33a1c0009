import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Agent, ApprovalMode, RunOptions } from '../../../src/agent/agent.ts';
import { type CreateAgentOptions, createAgent } from '../../../src/agent/create-agent.ts';
import type { AgentEvent, RunResult } from '../../../src/agent/events.ts';
import type { ResolvedProfile } from '../../../src/auth/profile.ts';
import type { Session } from '../../../src/auth/session.ts';
import { GatewayStandIn } from './gateway-stand-in.ts';
import { PhoneStandIn } from './phone-stand-in.ts';

export interface World {
  readonly gateway: GatewayStandIn;
  readonly phone: PhoneStandIn;
  readonly folder: string;
  readonly key: Buffer;
  readonly profile: ResolvedProfile;
  readonly session: Session;
  /** A new agent on the same files, as a new process would have. */
  agent(options?: Partial<CreateAgentOptions>): Promise<Agent>;
}

/** A gateway, a phone and a home of their own for one test, gone when it ends. */
export async function createWorld(): Promise<World> {
  const gateway = await new GatewayStandIn().start();
  const phone = new PhoneStandIn((token, digest) => gateway.allow(token, digest));
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-test-'));
  const key = randomBytes(32);
  const profile: ResolvedProfile = {
    name: 'test',
    sandbox: false,
    issuer: gateway.url,
    gateway: gateway.url,
    audience: gateway.url,
    environment: 'paper',
    login_client: { client_id: 'trade-agent' },
    details_type: 'trade_order',
    credential_store: 'file',
    model: { provider: 'builtin' },
    max_slippage: '0.01',
    approval_ttl: 300,
    phone: undefined,
  };
  const bearer = (token: string, init: RequestInit): RequestInit => ({
    ...init,
    headers: { ...(init.headers as Record<string, string>), authorization: `Bearer ${token}` },
  });
  const session: Session = {
    profile,
    user: { sub: 'alice-sub', name: 'Alice Example', email: 'alice@example.com' },
    fetch: (url, init) => fetch(url, bearer('session-token', init)),
    fetchWithApproval: (url, init, token) => fetch(url, bearer(token, init)),
  };
  const agents: Agent[] = [];
  onTestFinished(async () => {
    for (const agent of agents) await agent.close();
    await gateway.stop();
    rmSync(folder, { recursive: true });
  });
  return {
    gateway,
    phone,
    folder,
    key,
    profile,
    session,
    async agent(options = {}) {
      const agent = await createAgent({
        profile,
        session,
        approvalClient: phone,
        stateDb: join(folder, 'state.db'),
        auditLog: join(folder, 'audit.jsonl'),
        databaseKey: key,
        env: {},
        ...options,
      });
      agents.push(agent);
      return agent;
    },
  };
}

export interface Played {
  readonly events: AgentEvent[];
  readonly result: RunResult;
}

/** Reads a run to its end. `onEvent` may act on the way. */
export async function play(
  events: AsyncIterable<AgentEvent>,
  onEvent?: (event: AgentEvent) => void,
): Promise<Played> {
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
