import { join } from 'node:path';
import type { Agent } from '../../src/agent/agent.ts';
import { createRemoteAgent } from '../../src/agent/remote/remote-agent.ts';
import { beginDeviceLogin } from '../../src/auth/session/device-login.ts';
import type { Session } from '../../src/auth/session/session.ts';
import { openSession } from '../../src/auth/session/token-session.ts';
import type { ResolvedProfile } from '../../src/config/profile.ts';
import { createPhoneClient, type PhoneClient } from '../../src/home/phone/phone-client.ts';
import type { SandboxSeed } from '../../src/sandbox/sandbox-home.ts';
import { openFileStore } from '../../src/secrets/file/file-store.ts';
import { type Proposal, proposalSchema } from '../../src/trading/proposal.ts';
import { pairByHttp } from '../integration/home/http-browser.ts';
import { createAuthenticator } from '../unit/approval/signature/authenticator.ts';
import { signed } from '../unit/approval/signature/signing-world.ts';

export type LoadPerson = Awaited<ReturnType<typeof signInPerson>>;

const SCOPES = ['orders:read', 'orders:propose'];

type Users = SandboxSeed['users'];

/** So many who trade, alice first; whoever else the sandbox has comes after them. */
export function usersOf(seeded: Users, count: number): Users {
  const [alice, ...others] = seeded;
  if (alice === undefined) throw new Error('a sandbox has alice');
  const more = Array.from({ length: count - 1 }, (_, n) => {
    const username = `person-${n + 1}`;
    return { ...alice, username, name: `Person ${n + 1}`, email: `${username}@example.com` };
  });
  return [alice, ...more, ...others];
}

/** Sets up their phones: one client for all, which signs by the passkey of whoever is asked. */
export async function phoneWithPasskeys(
  options: Parameters<typeof createPhoneClient>[0],
  origin: string,
  usernames: readonly string[],
): Promise<PhoneClient> {
  const place = { origin, rpId: new URL(origin).hostname };
  const passkeys = new Map<string, ReturnType<typeof createAuthenticator>>();
  const setUp = createPhoneClient(options);
  for (const username of usernames) {
    // One that is synced counts nothing. Of two taps at once the later may come first: by a count the other would be a copy's.
    const passkey = createAuthenticator('ES256', place, { synced: true, counts: false });
    const { url } = await setUp.pairing(username);
    await pairByHttp(url, { authenticator: passkey });
    passkeys.set(username, passkey);
  }
  const keyOf = (user: string) => {
    const passkey = passkeys.get(user);
    if (passkey === undefined) throw new Error(`${user} has no passkey`);
    return { sign: (details: Parameters<typeof signed>[1]) => signed(passkey, details, {}, user) };
  };
  return createPhoneClient({ ...options, keyOf });
}

interface Place {
  /** Where what they keep is kept. */
  readonly folder: string;
  readonly phone: { completeDevice(username: string, userCode: string): Promise<unknown> };
  readonly profile: ResolvedProfile;
  readonly gateway: string;
}

/** Signs a person with an account of their own in at the gateway, as the CLI does. */
export async function signInPerson(username: string, place: Place) {
  const { profile, gateway } = place;
  const { send, open } = waysOf(await signIn(username, place, profile), gateway);
  return {
    username,
    /** Their agent at a server, of which they know only the address. */
    async agentAt(server: string): Promise<Agent> {
      const at = { ...profile, name: 'at-server', server, gateway: server, audience: server };
      return createRemoteAgent({ session: await signIn(username, place, at) });
    },
    /** Proposes to buy a little AAPL; each quantity once, since identical proposals are one. */
    async propose(qty: string, key: string, more: object = {}) {
      const order = { symbol: 'AAPL', side: 'buy', qty };
      const body = JSON.stringify({ kind: 'order', order, ttl: 3600, requested_by: 'a load', ...more });
      const scopes = 'mandate' in more ? [...SCOPES, 'orders:mandate'] : SCOPES;
      return send('/v1/proposals', { method: 'POST', headers: { 'idempotency-key': key }, body }, scopes);
    },
    /** Waits for a change, at most 25 s. */
    next: ({ id, updated_at }: Pick<Proposal, 'id' | 'updated_at'>) =>
      send(`/v1/proposals/${id}?wait=25&since=${encodeURIComponent(updated_at)}`, {}),
    withdraw: (proposal: string) => send(`/v1/proposals/${proposal}`, { method: 'DELETE' }),
    open,
  };
}

async function signIn(
  username: string,
  { folder, phone }: Pick<Place, 'folder' | 'phone'>,
  profile: ResolvedProfile,
): Promise<Session> {
  const home = { config: folder, data: folder, log: folder, sandbox: folder };
  const store = openFileStore({ folder: join(folder, username), profile: profile.name });
  const login = await beginDeviceLogin(profile, store, { home });
  await phone.completeDevice(username, login.user_code);
  await login.complete(new AbortController().signal);
  const session = await openSession({ profile, store, home });
  if (session === undefined) throw new Error('nobody is signed in');
  return session;
}

function waysOf(session: Session, gateway: string) {
  const ask = (path: string, init: RequestInit, scopes: readonly string[] = SCOPES) =>
    session.fetch(`${gateway}${path}`, init, scopes);
  return {
    /** The answer must be a proposal. */
    async send(
      path: string,
      { headers, ...init }: { method?: string; headers?: object; body?: string },
      scopes?: readonly string[],
    ): Promise<Proposal> {
      const response = await ask(
        path,
        { ...init, headers: { 'content-type': 'application/json', ...headers } },
        scopes,
      );
      const text = await response.text();
      if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
      return proposalSchema.parse(JSON.parse(text));
    },
    /** Opens a stream or a long poll, until the signal aborts. */
    open: (path: string, signal: AbortSignal) => ask(path, { signal }),
  };
}
