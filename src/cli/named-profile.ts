import type { ResolvedProfile } from '../config/profile.ts';
import type { CredentialStore } from '../secrets/credential-store.ts';
import type { Context } from './context.ts';

/**
 * The profile a command names as its argument, or the one in use.
 * @throws {TradeAgentError} `invalid_config`
 */
export async function namedProfile(context: Context, name: string | undefined): Promise<ResolvedProfile> {
  if (name === undefined) return await context.profile();
  const { findProfile, resolveProfile } = await import('../config/resolve-profile.ts');
  const config = await context.config();
  const sandbox = findProfile(config, name).sandbox ? await context.sandbox() : undefined;
  return resolveProfile(config, name, sandbox);
}

/** Where that profile's secrets are. */
export function credentialsOf(context: Context, profile: ResolvedProfile): Promise<CredentialStore> {
  return context.openStore(profile);
}
