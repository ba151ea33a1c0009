import { logout } from '../../auth/logout.ts';
import type { User } from '../../auth/session/session.ts';
import { removeProfile as eraseProfile } from '../../config/profile-edit.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { eraseMcpCredentials } from '../../secrets/places/mcp-credentials.ts';
import type { App } from '../app.ts';
import { namedProfile } from './named-profile.ts';

/**
 * Signs a profile out, forgets its keys, and takes it out of config.yaml. Its threads and the audit record stay.
 * @param confirm asks the person, and throws where they would rather not
 * @returns who was signed in, and what they should know where something could not be ended at the provider
 * @throws {TradeAgentError} `not_found`, `credential_store_…`, and what `confirm` throws: then nothing is removed
 */
export async function removeProfile(
  app: App,
  name: string,
  confirm: () => Promise<void>,
): Promise<{ readonly user: User | undefined; readonly warning: string | undefined }> {
  const config = await app.config();
  if (!Object.hasOwn(config.profiles, name)) {
    throw new TradeAgentError('not_found', `config.yaml has no profile "${name}"`, {
      hint: 'See "trade-agent profile list".',
    });
  }
  await confirm();
  const profile = await namedProfile(app, name);
  const [store, home] = await Promise.all([app.openStore(profile), app.home()]);
  // First the credentials: without the profile nobody could find them again.
  const { user, warning } = await logout({
    ...{ profile, store, home, fetch: app.fetch, clock: app.clock },
    forgetClients: true,
  });
  await store.delete(['notice_secrets']);
  await eraseMcpCredentials(store, home.config, name);
  await eraseProfile(home, name);
  return { user, warning };
}
