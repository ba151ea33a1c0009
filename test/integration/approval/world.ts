import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beginAccountConnection } from '../../../src/auth/connections/connect-account.ts';
import { openConnectedAccounts } from '../../../src/auth/connections/open-connected-accounts.ts';
import { beginDeviceLogin } from '../../../src/auth/session/device-login.ts';
import type { Session } from '../../../src/auth/session/session.ts';
import { openSession } from '../../../src/auth/session/token-session.ts';
import { resolveProfile } from '../../../src/config/resolve-profile.ts';
import { isTradeAgentError } from '../../../src/errors/errors.ts';
import { createPhoneClient, type PhoneClient } from '../../../src/home/phone/phone-client.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import type { UserDirs } from '../../../src/machine/directories.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../../src/sandbox/sandbox.ts';
import type { CredentialStore } from '../../../src/secrets/credential-store.ts';
import { openFileStore } from '../../../src/secrets/file/file-store.ts';
import { type Proposal, type ProposalRequestInput, proposalSchema } from '../../../src/trading/proposal.ts';
import { linesIn } from '../../fixtures/record-lines.ts';
import { freePort } from '../../free-port.ts';

/** One answer of the gateway's, its body as JSON. */
export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

/** A whole sandbox with people signed in: real provider, phone, gateway, paper broker. */
export interface ProposalWorld {
  readonly sandbox: Sandbox;
  readonly phone: PhoneClient;
  readonly folder: string;
  /** The lines of the gateway's record. */
  record(): Record<string, unknown>[];
  /** @param machine one of theirs, with a session and a key of its own */
  as(user: 'alice' | 'bob', machine?: string): Promise<Person>;
  /** The same world after the gateway (and all the rest) has gone down and come up. @param meanwhile what happens while it is down */
  restart(meanwhile?: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** One person's way to the gateway. */
export interface Person {
  readonly session: Session;
  readonly store: CredentialStore;
  readonly home: UserDirs;
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  ask(request: unknown, key?: string): Promise<Answer>;
  /** Proposes, and expects a yes. */
  propose(request: ProposalRequestInput, key?: string): Promise<Proposal>;
  proposal(id: string, query?: string): Promise<Proposal>;
  /** Waits until the proposal stands so. */
  until(id: string, state: Proposal['state']): Promise<Proposal>;
  /** Proposes, approves on their phone, and waits until it is carried out. */
  approved(request: ProposalRequestInput): Promise<Proposal>;
  /** Connects their account at a service; their phone allows it. */
  connect(service: 'slack' | 'gmail', scopes: readonly string[]): Promise<void>;
  /** Their phone answers the question with this code. */
  /** @param typed the code that the person types, if they have to */
  tap(code: string, decision?: 'approve' | 'deny', typed?: string): Promise<void>;
}

/** More than any test proposes. */
const QUOTAS = { own: { open: 50, hour: 1_000 }, other: { open: 3, hour: 20 } };
const SCOPES = [
  'market:read',
  'orders:read',
  'orders:propose',
  'messages:propose',
  'orders:cancel',
  'portfolio:read',
  'orders:mandate',
  'watchlist:write',
];

export async function startProposalWorld(options: Partial<SandboxOptions> = {}): Promise<ProposalWorld> {
  const root = mkdtempSync(join(tmpdir(), 'trade-agent-proposals-'));
  const home: UserDirs = { config: root, data: root, log: root, sandbox: join(root, 'sandbox') };
  // Not the default port, which another test could take while this sandbox restarts.
  const port = await freePort();
  const start = () => startSandbox({ home: home.sandbox, port, partialFills: false, quotas: QUOTAS, ...options });
  let sandbox = await start();
  const phoneOf = () => createPhoneClient({ phone: sandbox.ready.phone, pairingSecret: sandbox.pairingSecret });
  let phone = phoneOf();
  const people = new Map<string, Promise<Person>>();

  const person = async (user: 'alice' | 'bob', machine: string): Promise<Person> => {
    const folder = join(root, machine);
    const profile = resolveProfile({ profiles: {} }, undefined, sandbox.ready);
    const store = openFileStore({ folder, profile: profile.name });
    const login = await beginDeviceLogin(profile, store, { home });
    await phone.completeDevice(user, login.user_code);
    await login.complete(new AbortController().signal);
    const session = await openSession({ profile, store, home });
    if (session === undefined) throw new Error('nobody is signed in');
    const self: Person = {
      session,
      store,
      home,
      async send(method, path, body, headers = {}) {
        const response = await session.fetch(
          `${sandbox.ready.gateway}${path}`,
          {
            method,
            headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          },
          SCOPES,
        );
        const text = await response.text();
        return {
          status: response.status,
          headers: response.headers,
          body: text === '' ? {} : JSON.parse(text),
        };
      },
      ask: (request, key = randomUUID()) => self.send('POST', '/v1/proposals', request, { 'idempotency-key': key }),
      async propose(request, key) {
        const { status, body } = await self.ask(request, key);
        if (status !== 201 && status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
        return proposalSchema.parse(body);
      },
      async proposal(id, query = '') {
        return proposalSchema.parse((await self.send('GET', `/v1/proposals/${id}${query}`)).body);
      },
      async until(id, state) {
        let found = await self.proposal(id);
        while (found.state !== state) {
          found = await self.proposal(id, `?wait=20&since=${encodeURIComponent(found.updated_at)}`);
        }
        return found;
      },
      async approved(request) {
        const { id, code } = await self.propose(request);
        await self.tap(code);
        return await self.until(id, 'executed');
      },
      async connect(service, scopes) {
        const { accounts, finish } = await openConnectedAccounts(profile, store, { home });
        const options = { connection: service, scopes, finish, redirectPort: 0, clock: systemClock };
        const started = await beginAccountConnection(accounts, options);
        await phone.answerConnection(user, started.ticket, 'approve');
        await started.complete(new AbortController().signal);
        await started.close();
      },
      async tap(code, decision = 'approve', typed) {
        for (;;) {
          const shown = await phone.requests(user, { waitSeconds: 10 }).catch((error: unknown) => {
            // A connection kept from before a restart.
            if (isTradeAgentError(error) && error.code === 'provider_unreachable') return [];
            throw error;
          });
          // The phone does not know a code that has to be typed.
          const request = shown.find((one) => one.code === (typed === undefined ? code : ''));
          if (request === undefined) continue;
          await phone.decide(request.id, decision, typed);
          return;
        }
      },
    };
    return self;
  };

  return {
    get sandbox() {
      return sandbox;
    },
    get phone() {
      return phone;
    },
    folder: root,
    record: () => linesIn(join(home.sandbox, 'gateway.db')),
    as(user, machine = user) {
      const found = people.get(machine) ?? person(user, machine);
      people.set(machine, found);
      return found;
    },
    async restart(meanwhile) {
      await sandbox.close();
      await meanwhile?.();
      sandbox = await start();
      phone = phoneOf();
    },
    async close() {
      await sandbox.close();
      rmSync(root, { recursive: true });
    },
  };
}
