import { clockWarning } from '../../auth/provider/clock-comparison.ts';
import { beginDeviceLogin } from '../../auth/session/device-login.ts';
import { describeScopes, loginWarning } from '../../auth/session/scope-descriptions.ts';
import type { User } from '../../auth/session/session.ts';
import { machineName } from '../../machine/machine-name.ts';
import { safeLine } from '../../net/shown-text.ts';
import type { App } from '../app.ts';

/** A device login that was begun: what to show the person, and how to wait for them. */
export interface StartedLogin {
  readonly userCode: string;
  readonly address: string;
  /** The address with the code in it, for a QR code or a browser. */
  readonly completeAddress: string;
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

/** Begins a device login (RFC 8628) for the profile in use. What was opened before it is made anew afterwards. */
export async function startLogin(app: App): Promise<StartedLogin> {
  const profile = await app.profile();
  const started = await beginDeviceLogin(profile, await app.store(), {
    fetch: app.fetch,
    clock: app.clock,
    home: await app.home(),
  });
  return {
    userCode: safeLine(started.user_code),
    address: safeLine(started.verification_uri),
    completeAddress: safeLine(started.verification_uri_complete ?? started.verification_uri),
    machine: machineName(),
    asks: describeScopes(started.scopes, profile.server === undefined ? 'gateway' : 'server'),
    sandboxCommand: profile.sandbox ? `trade-agent phone login ${safeLine(started.user_code)}` : undefined,
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
