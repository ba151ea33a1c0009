import type { LogoutResult } from '../auth/logout.ts';
import { clockWarning } from '../auth/provider/provider-clock.ts';
import { beginDeviceLogin, type DeviceLogin } from '../auth/session/device-login.ts';
import { describeScopes, loginWarning } from '../auth/session/scope-descriptions.ts';
import type { User } from '../auth/session/session.ts';
import type { CompanySignIn, ResolvedProfile } from '../config/profile.ts';
import { TradeAgentError } from '../errors/errors.ts';
import { getMachineName } from '../machine/machine-name.ts';
import { safeLine } from '../text/sanitize.ts';
import type { App } from './app.ts';

export interface StartedLogin {
  readonly userCode: string;
  readonly address: string;
  /** The URL that includes the code, for a QR code or a browser. */
  readonly completeAddress: string;
  readonly issuer: string;
  /** The company's issuer, or null for a sign-in at the home. */
  readonly company: string | null;
  readonly machine: string;
  readonly asks: readonly string[];
  /** The command that simulates the phone in a sandbox. */
  readonly sandboxCommand: string | undefined;
  readonly warning: string;
  /** Undefined if this machine's clock is correct. */
  readonly clockWarning: string | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  complete(signal: AbortSignal): Promise<User>;
}

/**
 * Starts a device login (RFC 8628) for the profile. After the login, resets the app, so that the session and the agent
 * are opened again.
 * @param asked the company to sign in with from now on; defaults to the profile's current company
 */
export async function startLogin(app: App, asked: RequestedCompany = {}): Promise<StartedLogin> {
  const profile = await app.profile();
  const isAsked = asked.issuer !== undefined || asked.clientId !== undefined;
  const company = isAsked || profile.company !== undefined ? await resolveCompany(app, asked) : undefined;
  const started = company === undefined ? await loginAtHome(app, profile) : await loginAtCompany(app, profile, company);
  const at = company === undefined ? '' : ' --company';
  return {
    userCode: safeLine(started.user_code),
    address: safeLine(started.verification_uri),
    completeAddress: safeLine(started.verification_uri_complete ?? started.verification_uri),
    issuer: company?.issuer ?? profile.issuer,
    company: company?.issuer ?? null,
    machine: getMachineName(),
    asks: describeScopes(started.scopes, profile.server === undefined ? 'gateway' : 'server'),
    sandboxCommand: profile.sandbox ? `trade-agent phone login ${safeLine(started.user_code)}${at}` : undefined,
    warning: loginWarning,
    clockWarning: clockWarning(started.clockSkew),
    expiresAt: started.expiresAt,
    complete: async (until) => {
      const user = await started.complete(until);
      await app.reset();
      return user;
    },
  };
}

async function loginAtHome(app: App, profile: ResolvedProfile): Promise<DeviceLogin> {
  return await beginDeviceLogin(profile, await app.store(), {
    fetch: app.fetch,
    clock: app.clock,
    home: await app.home(),
  });
}

/** Starts a sign-in with a company. The profile is changed only after the sign-in has succeeded. */
async function loginAtCompany(app: App, profile: ResolvedProfile, company: CompanySignIn): Promise<DeviceLogin> {
  const { requireValidCompany } = await import('../config/resolve-profile.ts');
  requireValidCompany(profile, company);
  const [home, store] = await Promise.all([app.home(), app.store()]);
  if (profile.sandbox) {
    await registerKeyAtSandbox(app, company);
  }
  const { beginCompanyLogin } = await import('../auth/company/company-login.ts');
  const options = { fetch: app.fetch, clock: app.clock, home };
  const started = await beginCompanyLogin({ ...profile, company }, store, options);
  const isNew = profile.company?.issuer !== company.issuer || profile.company.client_id !== company.client_id;
  return {
    ...started,
    async complete(signal) {
      const user = await started.complete(signal);
      if (isNew) {
        const { setCompanySignIn } = await import('../config/profile-edit.ts');
        await setCompanySignIn(home, profile.name, company);
      }
      return user;
    },
  };
}

/** The client ID that companies register by default. The client ID at a home is `trade-agent`. */
const DEFAULT_COMPANY_CLIENT = 'trade-agent-company';

interface RequestedCompany {
  readonly issuer?: string | undefined;
  readonly clientId?: string | undefined;
}

/** Returns the requested company, or else the profile's. @throws {TradeAgentError} `usage` if neither is set */
async function resolveCompany(app: App, { issuer, clientId }: RequestedCompany): Promise<CompanySignIn> {
  const { company: kept, sandbox } = await app.profile();
  const chosen = issuer ?? kept?.issuer;
  if (chosen === undefined) {
    throw new TradeAgentError('usage', 'no company was specified', {
      hint: 'Pass its identity provider: --company https://login.acme.example',
    });
  }
  if (!URL.canParse(chosen) || !/^https?:$/.test(new URL(chosen).protocol)) {
    throw new TradeAgentError('usage', `--company must be the address of an identity provider (${chosen})`, {
      hint: 'For example: --company https://login.acme.example',
    });
  }
  if (clientId !== undefined) return { issuer: chosen, client_id: clientId };
  if (chosen === kept?.issuer) return kept;
  const pretend = sandbox ? (await app.sandbox()).company : undefined;
  return pretend?.issuer === chosen ? pretend : { issuer: chosen, client_id: DEFAULT_COMPANY_CLIENT };
}

const KEY_UPLOAD_TIMEOUT_MS = 5000;

/** Registers this machine's key with the sandbox's company, which has no administrator and accepts any key. */
async function registerKeyAtSandbox(app: App, { issuer, client_id }: CompanySignIn): Promise<void> {
  if ((await app.sandbox()).company?.issuer !== issuer) return;
  const { ensureCompanyKey, publicCompanyKey } = await import('../auth/company/client-key.ts');
  const key = publicCompanyKey(await ensureCompanyKey(await app.store()));
  // A rejection is not reported here, because the sign-in that follows will fail and report it.
  await app.fetch(`${issuer}/clients/${encodeURIComponent(client_id)}/keys`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(key),
    signal: AbortSignal.any([app.signal, AbortSignal.timeout(KEY_UPLOAD_TIMEOUT_MS)]),
  });
}

/**
 * Returns this machine's public key (JWK) for company sign-ins and the lines to add to the home's home.yaml. Creates
 * the key on first use.
 * @throws {TradeAgentError} `usage` if no company is named; `invalid_config`, `credential_store_…`
 */
export async function loadCompanyKey(app: App, asked: RequestedCompany) {
  const [{ ensureCompanyKey, companyClientYamlLines, publicCompanyKey }, { requireValidCompany }, profile] =
    await Promise.all([import('../auth/company/client-key.ts'), import('../config/resolve-profile.ts'), app.profile()]);
  const company = await resolveCompany(app, asked);
  requireValidCompany(profile, company);
  const key = publicCompanyKey(await ensureCompanyKey(await app.store()));
  return { profile: profile.name, company, key, homeYaml: companyClientYamlLines(company, key) };
}

/**
 * Signs out on this machine and at the identity provider.
 * @param options.all also deletes the key with which this machine authenticates to a company
 * @throws {TradeAgentError} `credential_store_…` if the session can't be removed
 */
export async function signOut(app: App, options: { readonly all: boolean }): Promise<LogoutResult> {
  const { logout } = await import('../auth/logout.ts');
  const [profile, store, home] = await Promise.all([app.profile(), app.store(), app.home()]);
  const { fetch, clock } = app;
  const result = await logout({ profile, store, home, fetch, clock, forgetClients: options.all });
  await app.reset();
  return result;
}
