import { findProfile } from '../config/resolve-profile.ts';
import { TradeAgentError } from '../errors/errors.ts';
import type { App } from './app.ts';

/** Returns the profile's server, or undefined if its agent runs on this machine. Sends no request. */
export async function profileServerUrl(app: Pick<App, 'config' | 'profileName'>): Promise<string | undefined> {
  return findProfile(await app.config(), app.profileName).server;
}

export function onlyOnThisMachineError(what: string, server: string): TradeAgentError {
  return new TradeAgentError('usage', `${what} are stored on this machine, but this agent runs at ${server}`, {
    hint: 'Use a profile without a server. To check your account on the server, add a schedule.',
  });
}
