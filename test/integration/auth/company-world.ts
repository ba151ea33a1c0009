import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureCompanyKey, publicCompanyKey } from '../../../src/auth/company/client-key.ts';
import { beginCompanyLogin } from '../../../src/auth/company/company-login.ts';
import { openCompanySession } from '../../../src/auth/company/company-session.ts';
import { type CompanySignIn, profileSchema, type ResolvedProfile } from '../../../src/config/profile.ts';
import { createPhoneClient } from '../../../src/home/phone/phone-client.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import type { UserDirs } from '../../../src/machine/directories.ts';
import { type Company, SECOND_FACTOR_SIGN_IN } from '../../../src/sandbox/company/company.ts';
import type { CompanyRule } from '../../../src/sandbox/company/rules.ts';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';
import type { CredentialStore } from '../../../src/secrets/credential-store.ts';
import { openFileStore } from '../../../src/secrets/file/file-store.ts';
import { hastyClock } from './identity-provider-world.ts';

export type AtCompany = ResolvedProfile & { readonly company: CompanySignIn };

/** What stands between a machine and the network. */
export type Reach = (request: Request, send: () => Promise<Response>) => Promise<Response>;

export type CompanyWorld = Awaited<ReturnType<typeof companyWorld>>;

/** A whole sandbox, with the company that its people work at. */
export async function companyWorld() {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-company-'));
  /** The company's, as it reads them at each exchange. */
  const rules: CompanyRule[] = [];
  const sandbox = await startSandbox({
    home: join(folder, 'sandbox'),
    port: 0,
    company: true,
    companyRules: (usual) => {
      rules.push(usual);
      return rules;
    },
    partialFills: false,
  });
  const { company, ready } = sandbox;
  if (company === undefined || ready.company === undefined) throw new Error('the sandbox has no company');
  const profile: AtCompany = {
    ...profileSchema.parse({ sandbox: true }),
    name: 'sandbox',
    issuer: ready.issuer,
    gateway: ready.gateway,
    audience: ready.gateway,
    login_client: { client_id: 'trade-agent' },
    credential_store: 'file',
    phone: ready.phone,
    company: ready.company,
  };
  let key: string | undefined;
  let machines = 0;

  return {
    company,
    profile,
    rules,
    phone: createPhoneClient({ phone: ready.phone, pairingSecret: sandbox.pairingSecret }),
    /** Runs with the company's usual rule changed. */
    async withRule(change: Partial<CompanyRule>, act: () => Promise<void>) {
      const [usual] = rules.splice(0);
      if (usual === undefined) throw new Error('there is no rule');
      rules.push({ ...usual, ...change });
      await act().finally(() => rules.splice(0, 1, usual));
    },
    /** Another machine of somebody's, whose key is the first one's: the home reads keys once a minute. */
    async machine(reach: Reach = (_, send) => send()) {
      machines += 1;
      const own = join(folder, `machine-${machines}`);
      const home: UserDirs = { config: own, data: own, log: own, sandbox: own };
      const store = openFileStore({ folder: own, profile: 'sandbox' });
      if (key !== undefined) await store.set({ company_key: key });
      const keys = publicCompanyKey(await ensureCompanyKey(store));
      if (key === undefined) {
        await fetch(`${company.issuer}/clients/${profile.company.client_id}/keys`, {
          method: 'POST',
          body: JSON.stringify(keys),
        });
      }
      key = (await store.get(['company_key'], { fresh: true })).company_key;
      return machineOf({ company, profile }, { store, home }, reach);
    },
    async close() {
      await sandbox.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function machineOf(
  { company, profile }: { company: Company; profile: AtCompany },
  { store, home }: { store: CredentialStore; home: UserDirs },
  reach: Reach,
) {
  /** Each request, oldest first: `POST company/token`, `POST home/token`, `GET home/v1/account`. */
  const asked: string[] = [];
  /** The access tokens that reached the gateway. */
  const shown: string[] = [];
  const send: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const { origin, pathname } = new URL(request.url);
    const name = origin === company.issuer ? 'company' : origin === profile.issuer ? 'home' : origin;
    asked.push(`${request.method} ${name}${pathname}`);
    const [, token] = (request.headers.get('authorization') ?? '').split('DPoP ');
    if (token !== undefined) shown.push(token);
    const { body, status, headers } = await reach(request.clone(), () => fetch(request));
    // Node writes the time once a second: a test that moves it would have it wrong for a while.
    const timeless = new Headers(headers);
    timeless.delete('date');
    return new Response(status === 204 ? null : body, { status, headers: timeless });
  };
  return {
    store,
    home,
    fetch: send,
    asked,
    shown,
    /** Signs in at the company, the person saying yes there. */
    async login({
      sub = '00u-alice',
      strength = SECOND_FACTOR_SIGN_IN as Parameters<Company['decide']>[2],
      profile: at = profile,
    } = {}) {
      const started = await beginCompanyLogin(at, store, { fetch: send, home, clock: hastyClock });
      await company.decide(started.user_code, sub, strength);
      return await started.complete(AbortSignal.timeout(20_000));
    },
    /** As a process of its own has it. */
    async open() {
      const session = await openCompanySession({ profile, store, home, fetch: send, clock: systemClock });
      if (session === undefined) throw new Error('nobody is signed in');
      return session;
    },
  };
}
