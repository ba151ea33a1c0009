import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentEvent, RunResult } from '../../src/agent/events.ts';
import { type CreateAgentOptions, createAgent } from '../../src/agent/run/create-agent.ts';
import { beginDeviceLogin } from '../../src/auth/session/device-login.ts';
import { openSession } from '../../src/auth/session/token-session.ts';
import { resolveProfile } from '../../src/config/resolve-profile.ts';
import { createPhoneClient } from '../../src/home/phone/phone-client.ts';
import type { UserDirs } from '../../src/machine/directories.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { getOrCreateDatabaseKey } from '../../src/secrets/database-key.ts';
import { openFileStore } from '../../src/secrets/file/file-store.ts';
import type { EvalRequest } from './requests.ts';
import type { Played } from './score.ts';

type ModelSettings = CreateAgentOptions['profile']['model'];

export interface EvalWorld {
  /** In a thread of its own. @param timeoutMs per prompt */
  play(request: EvalRequest, model: ModelSettings, timeoutMs: number): Promise<Played>;
  close(): Promise<void>;
}

export async function createEvalWorld(env: Readonly<Record<string, string | undefined>>): Promise<EvalWorld> {
  const root = mkdtempSync(join(tmpdir(), 'trade-agent-eval-'));
  const folder = join(root, 'agent');
  const home: UserDirs = { config: folder, data: folder, log: folder, sandbox: join(root, 'sandbox') };
  const sandbox = await startSandbox({
    home: home.sandbox,
    port: 0,
    partialFills: false,
    marketHours: 'always',
  });
  const profile = resolveProfile({ profiles: {} }, undefined, sandbox.ready);
  const store = openFileStore({ folder, profile: profile.name });
  const phone = createPhoneClient({ phone: sandbox.ready.phone, pairingSecret: sandbox.pairingSecret });
  const login = await beginDeviceLogin(profile, store, { home });
  await phone.completeDevice('alice', login.user_code);
  await login.complete(new AbortController().signal);
  const session = await openSession({ profile, store, home });
  const key = await getOrCreateDatabaseKey(store);

  async function answering(decision: 'approve' | 'deny', signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const asked = await phone.requests('alice', { waitSeconds: 5, signal }).catch(() => []);
      for (const { id } of asked) await phone.decide(id, decision).catch(() => undefined);
    }
  }

  return {
    async play(request, model, timeoutMs) {
      const stop = new AbortController();
      const phoneEnds = answering(request.phone, stop.signal);
      const agents = (settings: ModelSettings) =>
        createAgent({
          profile: { ...profile, model: settings },
          session,
          stateDb: join(folder, 'state.db'),
          databaseKey: key,
          env,
        });
      const events: AgentEvent[] = [];
      const results: RunResult[] = [];
      const run = async (agent: Awaited<ReturnType<typeof agents>>, input: Parameters<typeof agent.run>[0]) => {
        const signal = AbortSignal.timeout(timeoutMs);
        const seen: AgentEvent[] = [];
        for await (const event of agent.run(input, {
          approval: 'wait',
          signal,
          requestedBy: 'eval',
          maxTurns: 10,
        })) {
          seen.push(event);
        }
        const last = seen.at(-1);
        if (last?.type !== 'result') throw new Error('a run must end with its result');
        return { seen, result: last.result };
      };
      try {
        if (request.before !== undefined) {
          const planner = await agents({ provider: 'builtin' });
          // One that stays open is left so.
          const { result } = await run(planner, { prompt: request.before }).finally(() => planner.close());
          if (result.status !== 'done') throw new Error(`${request.before}: ${result.status} ${result.text}`);
        }
        const agent = await agents(model);
        const started = performance.now();
        try {
          for (const [at, prompt] of request.say.entries()) {
            const thread = results.at(-1)?.thread;
            const { seen, result } = await run(agent, {
              prompt,
              ...(thread === undefined ? {} : { thread }),
              ...(at === 0 && request.stdin !== undefined ? { context: request.stdin } : {}),
            });
            events.push(...seen);
            results.push(result);
          }
          const ms = performance.now() - started;
          const { messages } = await agent.thread(results[0]?.thread ?? '');
          const answers = messages.flatMap((message) => (message.role === 'tool' ? [message.text] : []));
          return { results, events, answers, ms };
        } finally {
          await agent.close();
        }
      } finally {
        stop.abort();
        await phoneEnds;
      }
    },
    async close() {
      await sandbox.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
