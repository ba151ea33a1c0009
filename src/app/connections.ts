import { beginAccountConnection, type PendingConnection } from '../auth/connections/connect-account.ts';
import {
  type ConnectionName,
  connectionNames,
  type KnownConnection,
  knownConnections,
  providerConnectionName,
} from '../auth/connections/known-connections.ts';
import { type OpenConnectedAccounts, openConnectedAccounts } from '../auth/connections/open-connected-accounts.ts';
import type { App } from './app.ts';

/** A connection with its names in this program and at the identity provider. */
interface DescribedConnection extends KnownConnection {
  readonly name: ConnectionName;
  readonly provider_name: string;
}

type ConnectionsApp = Pick<App, 'requireSession' | 'profile' | 'store' | 'home' | 'fetch' | 'clock'>;

/** Opens access to the user's connected accounts. @throws {TradeAgentError} `login_required`, `invalid_config` */
export async function openUserConnectedAccounts(app: ConnectionsApp): Promise<OpenConnectedAccounts> {
  await app.requireSession();
  const [profile, store, home] = await Promise.all([app.profile(), app.store(), app.home()]);
  return openConnectedAccounts(profile, store, { home, fetch: app.fetch, clock: app.clock });
}

export async function describeConnection(
  app: Pick<App, 'profile'>,
  name: ConnectionName,
): Promise<DescribedConnection> {
  return { name, provider_name: providerConnectionName(await app.profile(), name), ...knownConnections[name] };
}

export type ListedConnection = Awaited<ReturnType<typeof listConnections>>[number];

/** Lists all services that can be connected. @throws {TradeAgentError} `login_required`, `invalid_config` */
export async function listConnections(app: App) {
  const accounts = await (await openUserConnectedAccounts(app)).accounts.list();
  return await Promise.all(
    connectionNames.map(async (name) => {
      const { provider_name, label, scopes } = await describeConnection(app, name);
      const account = accounts.find(({ connection }) => connection === provider_name);
      return {
        name,
        label,
        provider_name,
        connected: account !== undefined,
        scopes: account?.scopes ?? scopes,
        connected_at: account?.created_at ?? null,
      };
    }),
  );
}

/** The URL where the person signs in to the third-party service, and the scopes that they grant. */
export interface ConnectionLink
  extends DescribedConnection,
    Pick<PendingConnection, 'address' | 'ticket' | 'expiresAt'> {
  /** `loopback`: the browser must run on this machine, because the redirect goes to a local port. */
  readonly finish: 'provider' | 'loopback';
}

export interface AddedConnection extends DescribedConnection {
  readonly already: boolean;
}

/**
 * Connects an account, and waits until the person has signed in to the third-party service.
 * @param options.redirectPort port of the loopback redirect, for providers that need a fixed port
 * @param options.show shows the person where to sign in; not called if the account is already connected
 * @throws {TradeAgentError} `login_required`, `login_denied`, `login_expired`, `port_in_use`, `provider_error`
 */
export async function addConnection(
  app: App,
  name: ConnectionName,
  options: { readonly redirectPort: number; readonly show: (link: ConnectionLink) => Promise<void> },
): Promise<AddedConnection> {
  const described = await describeConnection(app, name);
  const { accounts, finish } = await openUserConnectedAccounts(app);
  const { provider_name: connection, scopes } = described;
  const earlier = (await accounts.list()).find((account) => account.connection === connection);
  if (earlier !== undefined) return { ...described, scopes: earlier.scopes ?? scopes, already: true };

  const { redirectPort, show } = options;
  const { clock, signal } = app;
  const started = await beginAccountConnection(accounts, { connection, scopes, finish, redirectPort, clock });
  try {
    const { address, ticket, expiresAt } = started;
    await show({ ...described, address, ticket, expiresAt, finish });
    const account = await started.complete(signal);
    return { ...described, scopes: account.scopes ?? scopes, already: false };
  } finally {
    await started.close();
  }
}

/**
 * Disconnects an account, both here and at the third-party service.
 * @returns the connection, with `removed: false` if it was not connected
 * @throws {TradeAgentError} `login_required`, `invalid_config`
 */
export async function removeConnection(app: App, name: ConnectionName) {
  const described = await describeConnection(app, name);
  const { accounts } = await openUserConnectedAccounts(app);
  const account = (await accounts.list()).find(({ connection }) => connection === described.provider_name);
  if (account !== undefined) await accounts.remove(account.id);
  return { ...described, removed: account !== undefined };
}
