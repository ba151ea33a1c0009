import { clockWarning } from '../../auth/provider/provider-clock.ts';
import { beginDeviceLogin, type DeviceLogin } from '../../auth/session/device-login.ts';
import { describeScopes, loginWarning } from '../../auth/session/scope-descriptions.ts';
import type { User } from '../../auth/session/session.ts';
import type { CompanySignIn, ResolvedProfile } from '../../config/profile.ts';
import { machineName } from '../../machine/machine-name.ts';
import { safeLine } from '../../text/shown-text.ts';
import type { App } from '../app.ts';
import { type AskedCompany, chosenCompany } from './chosen-company.ts';

/** A device login that was begun: what to show the person, and how to wait for them. */
export interface StartedLogin {
  readonly userCode: string;
  readonly address: string;
  /** The address with the code in it, for a QR code or a browser. */
  readonly completeAddress: string;
  /** Where the person signs in: an issuer. */
  readonly issuer: string;
  /** The issuer of the person's company, where they sign in there; null where it is the home. */
  readonly company: string | null;
  /** This machine, as the consent page shows it. */
  readonly machine: string;
  /** What the login asks for, in words. */
  readonly asks: readonly string[];
  /** The command that stands in for the phone; undefined outside the sandbox. */
  readonly sandboxCommand: string | undefined;
  readonly warning: string;
  /** What the person should know about this machine's clock; undefined where it is right. */
  readonly clockWarning: string | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  complete(signal: AbortSignal): Promise<User>;
}

/**
 * Begins a device login (RFC 8628) for the profile in use. What was opened before it is made anew afterwards.
 * @param asked the company to sign in at from now on; the profile's own, if it has one, where none is named
 */
export async function startLogin(app: App, asked: AskedCompany = {}): Promise<StartedLogin> {
  const profile = await app.profile();
  const isAsked = asked.issuer !== undefined || asked.clientId !== undefined;
  const company = isAsked || profile.company !== undefined ? await chosenCompany(app, asked) : undefined;
  const started = company === undefined ? await atHome(app, profile) : await atCompany(app, profile, company);
  const at = company === undefined ? '' : ' --company';
  return {
    userCode: safeLine(started.user_code),
    address: safeLine(started.verification_uri),
    completeAddress: safeLine(started.verification_uri_complete ?? started.verification_uri),
    issuer: company?.issuer ?? profile.issuer,
    company: company?.issuer ?? null,
    machine: machineName(),
    asks: describeScopes(started.scopes, profile.server === undefined ? 'gateway' : 'server'),
    sandboxCommand: profile.sandbox
      ? `trade-agent phone login ${safeLine(started.user_code)}${at}`
      : undefined,
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

async function atHome(app: App, profile: ResolvedProfile): Promise<DeviceLogin> {
  return await beginDeviceLogin(profile, await app.store(), {
    fetch: app.fetch,
    clock: app.clock,
    home: await app.home(),
  });
}

/** The profile names the company once the person is in: until then it is as it was. */
async function atCompany(app: App, profile: ResolvedProfile, company: CompanySignIn): Promise<DeviceLogin> {
  const { requireCompany } = await import('../../config/resolve-profile.ts');
  requireCompany(profile, company);
  const [home, store] = await Promise.all([app.home(), app.store()]);
  if (profile.sandbox) {
    const { enterKeyAtSandbox } = await import('./sandbox-company-key.ts');
    await enterKeyAtSandbox(app, company);
  }
  const { beginCompanyLogin } = await import('../../auth/company/company-login.ts');
  const options = { fetch: app.fetch, clock: app.clock, home };
  const started = await beginCompanyLogin({ ...profile, company }, store, options);
  const isNew = profile.company?.issuer !== company.issuer || profile.company.client_id !== company.client_id;
  return {
    ...started,
    async complete(signal) {
      const user = await started.complete(signal);
      if (isNew) {
        const { setCompany } = await import('../../config/profile-edit.ts');
        await setCompany(home, profile.name, company);
      }
      return user;
    },
  };
}
