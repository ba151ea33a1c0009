import { findProfile } from '../config/resolve-profile.ts';
import { TradeAgentError } from '../errors/errors.ts';
import type { App } from './app.ts';

/** The profile's server; undefined where its agent runs here. Asks nobody. */
export async function serverOf(app: Pick<App, 'config' | 'profileName'>): Promise<string | undefined> {
  return findProfile(await app.config(), app.profileName).server;
}

export function notHere(what: string, server: string): TradeAgentError {
  return new TradeAgentError('usage', `${what} are kept on this machine, and this agent runs at ${server}`, {
    hint: 'Use a profile without a server; what looks at your account there is a schedule.',
  });
}
