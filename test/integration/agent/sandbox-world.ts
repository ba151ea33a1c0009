import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { Agent } from '../../../src/agent/agent.ts';
import { type CreateAgentOptions, createAgent } from '../../../src/agent/run/create-agent.ts';
import { beginDeviceLogin } from '../../../src/auth/session/device-login.ts';
import type { Session } from '../../../src/auth/session/session.ts';
import { openSession } from '../../../src/auth/session/token-session.ts';
import { resolveProfile } from '../../../src/config/resolve-profile.ts';
import { createPhoneClient, type PhoneClient } from '../../../src/home/phone/phone-client.ts';
import type { UserDirs } from '../../../src/machine/directories.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts';
import { getOrCreateDatabaseKey } from '../../../src/secrets/database-key.ts';
import { openFileStore } from '../../../src/secrets/file/file-store.ts';

/** The real identity provider, gateway and paper broker for the tests of a file, with alice signed in. */
export function sandboxWorld() {
  const root = mkdtempSync(join(tmpdir(), 'trade-agent-sandbox-'));
  const folder = join(root, 'agent');
  const home: UserDirs = { config: folder, data: folder, log: folder, sandbox: join(root, 'sandbox') };
  const agents: Agent[] = [];
  const world = {} as {
    sandbox: Sandbox;
    phone: PhoneClient;
    profile: ReturnType<typeof resolveProfile>;
    store: ReturnType<typeof openFileStore>;
  };
  beforeAll(async () => {
    const sandbox = await startSandbox({ home: home.sandbox, port: 0, partialFills: false });
    const { ready, pairingSecret } = sandbox;
    const profile = resolveProfile({ profiles: {} }, undefined, ready);
    const store = openFileStore({ folder, profile: profile.name });
    const phone = createPhoneClient({ phone: ready.phone, pairingSecret });
    Object.assign(world, { sandbox, phone, profile, store });
    const login = await beginDeviceLogin(profile, store, { home });
    await phone.completeDevice('alice', login.user_code);
    await login.complete(new AbortController().signal);
  });
  afterAll(async () => {
    for (const agent of agents) await agent.close();
    await world.sandbox?.close();
    rmSync(root, { recursive: true });
  });
  const session = async () => {
    const { profile, store } = world;
    return (await openSession({ profile, store, home })) as Session;
  };
  return Object.assign(world, {
    folder,
    home,
    session,
    async agent(options: Partial<CreateAgentOptions> = {}): Promise<Agent> {
      const { profile, store } = world;
      const agent = await createAgent({
        profile,
        session: await session(),
        stateDb: join(folder, 'state.db'),
        databaseKey: await getOrCreateDatabaseKey(store),
        env: {},
        ...options,
      });
      agents.push(agent);
      return agent;
    },
    async tap(decision: 'approve' | 'deny') {
      const [request] = await world.phone.requests('alice', { waitSeconds: 10 });
      if (request === undefined) throw new Error('the phone was never asked');
      return await world.phone.decide(request.id, decision);
    },
  });
}
