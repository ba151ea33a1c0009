import {
  type ConnectionName,
  type KnownConnection,
  knownConnections,
  providerConnection,
} from '../../auth/connections/known-connections.ts';
import {
  type OpenConnectedAccounts,
  openConnectedAccounts,
} from '../../auth/connections/open-connected-accounts.ts';
import type { App } from '../app.ts';

/** A connection with what it is called here, at the provider, and to people. */
export interface DescribedConnection extends KnownConnection {
  readonly name: ConnectionName;
  readonly provider_name: string;
}

type AccountsApp = Pick<App, 'requireSession' | 'profile' | 'store' | 'home' | 'fetch' | 'clock'>;

/** The accounts elsewhere of whoever is signed in. @throws {TradeAgentError} `login_required`, `invalid_config` */
export async function openAccounts(app: AccountsApp): Promise<OpenConnectedAccounts> {
  await app.requireSession();
  const [profile, store, home] = await Promise.all([app.profile(), app.store(), app.home()]);
  return openConnectedAccounts(profile, store, { home, fetch: app.fetch, clock: app.clock });
}

export async function describeConnection(
  app: Pick<App, 'profile'>,
  name: ConnectionName,
): Promise<DescribedConnection> {
  return { name, provider_name: providerConnection(await app.profile(), name), ...knownConnections[name] };
}
