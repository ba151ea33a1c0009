import type { Readable, Writable } from 'node:stream';
import type { PendingConnection } from '../../auth/connections/connect-account.ts';
import {
  type ConnectionName,
  connectionNames,
  DEFAULT_REDIRECT_PORT,
} from '../../auth/connections/known-connections.ts';
import { loginRequiredError } from '../../errors/login-required.ts';
import type { McpCaller } from '../../mcp/mcp-caller.ts';
import { READ_SCOPES, SESSION_SCOPES } from '../../oauth/scopes.ts';
import type { OwnRules } from '../../tools/own-rules.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import type { CheckStoreApp } from '../check/with-check-store.ts';
import type { openUserConnectedAccounts } from '../connections.ts';
import { version } from '../version.ts';

interface ServeStdioOptions {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly readOnly: boolean;
  readonly ownRules?: OwnRules;
}

type StdioApp = ConnectApp &
  CheckStoreApp &
  Pick<App, 'account' | 'clock' | 'signal' | 'session' | 'reset' | 'limitToReading'>;

/**
 * Serves the MCP client that started this program, with the profile's session, until the client disconnects. If nobody
 * is signed in, each call returns `login_required`.
 */
export async function serveStdio(app: StdioApp, options: ServeStdioOptions): Promise<void> {
  const { readOnly, ownRules } = options;
  if (readOnly) app.limitToReading();
  const { serveMcpStdio } = await import('../../mcp/stdio/serve-stdio.ts');
  const { createGatewayClient } = await import('../../tools/gateway/gateway-client.ts');
  const { withImportedActivities } = await import('../../tools/gateway/imported-activities.ts');
  const { createImportedActivitiesReader } = await import('../portfolio/account-history.ts');
  const profile = await app.profile();
  const session = async () => {
    const found = await app.session();
    if (found !== undefined) return found;
    // Resets the session, so that a sign-in in another terminal takes effect.
    await app.reset();
    throw loginRequiredError();
  };
  const { clock, signal } = app;
  const over = new AbortController();
  let addresses: ReturnType<typeof connectAddresses> | undefined;
  const callerOf = async (): Promise<McpCaller> => {
    const signedIn = await session().catch(() => undefined);
    const clientId = signedIn?.clientId ?? profile.login_client.client_id;
    const account = signedIn === undefined ? undefined : await app.account();
    return {
      sub: signedIn?.user.sub ?? '',
      clientId,
      // The chat and the schedules use the same OAuth client, but this server must not include their proposals.
      owns: ({ client, requested_by }) => client === clientId && requested_by?.startsWith('mcp ') === true,
      scopes: new Set(readOnly ? READ_SCOPES : SESSION_SCOPES),
      environment: profile.environment,
      signedIn,
      gateway: withImportedActivities(
        createGatewayClient(
          { profile, fetch: async (url, init, scopes) => (await session()).fetch(url, init, scopes) },
          defined({ account }),
        ),
        createImportedActivitiesReader(app),
      ),
      hasImports: true,
      ...defined({ ownRules }),
      async connectAddress(connection) {
        addresses ??= connectAddresses(app, AbortSignal.any([signal, over.signal]));
        return addresses(connection);
      },
    };
  };
  try {
    await serveMcpStdio(callerOf, { ...options, version: version(), clock, signal });
  } finally {
    over.abort();
  }
}

type ConnectApp = Parameters<typeof openUserConnectedAccounts>[0];

/**
 * Returns a function that starts to connect an account and returns the link to open, or undefined for an unknown
 * connection. Each account has at most one link at a time, and this process waits for the link's redirect.
 * @param signal stops the wait when it aborts
 */
function connectAddresses(app: ConnectApp, signal: AbortSignal): (connection: string) => Promise<string | undefined> {
  /** Pending connections by name. Each ends when the person completes or declines it, or its link expires. */
  const open = new Map<string, Promise<PendingConnection>>();
  const start = async (name: ConnectionName): Promise<PendingConnection> => {
    const { describeConnection, openUserConnectedAccounts } = await import('../connections.ts');
    const { beginAccountConnection } = await import('../../auth/connections/connect-account.ts');
    const [{ provider_name: connection, scopes }, { accounts, finish }] = await Promise.all([
      describeConnection(app, name),
      openUserConnectedAccounts(app),
    ]);
    const options = { connection, scopes, finish, redirectPort: DEFAULT_REDIRECT_PORT, clock: app.clock };
    const started = await beginAccountConnection(accounts, options);
    started
      .complete(signal)
      .catch(() => undefined)
      .finally(() => open.delete(name));
    return started;
  };
  return async (connection) => {
    const name = connectionNames.find((known) => known === connection);
    if (name === undefined) return undefined;
    const starting = open.get(name) ?? start(name);
    open.set(name, starting);
    try {
      return (await starting).address;
    } catch (error) {
      open.delete(name);
      throw error;
    }
  };
}
