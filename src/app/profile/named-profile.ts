import type { ResolvedProfile } from '../../config/profile.ts';
import type { App } from '../app.ts';

/**
 * The profile a command names as its argument, or the one in use.
 * @throws {TradeAgentError} `invalid_config`
 */
export async function namedProfile(app: App, name: string | undefined): Promise<ResolvedProfile> {
  if (name === undefined) return await app.profile();
  const { findProfile, resolveProfile } = await import('../../config/resolve-profile.ts');
  const config = await app.config();
  const sandbox = findProfile(config, name).sandbox ? await app.sandbox() : undefined;
  return resolveProfile(config, name, sandbox);
}
