import type { Readable, Writable } from 'node:stream';
import { loginRequired } from '../../errors/login-required.ts';
import type { McpCaller } from '../../mcp/mcp-caller.ts';
import { READ_SCOPES, SESSION_SCOPES } from '../../oauth/scopes.ts';
import type { OwnRules } from '../../tools/own-rules.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import type { StoreApp } from '../check/with-check-store.ts';
import { version } from '../version.ts';
import type { ConnectApp, connectAddresses } from './connect-address.ts';

export interface ServeStdioOptions {
  readonly stdin: Readable;
  readonly stdout: Writable;
  /** Only what reads. */
  readonly readOnly: boolean;
  /** The person's rules file, for the tools that look by it. */
  readonly ownRules?: OwnRules;
}

type StdioApp = ConnectApp &
  StoreApp &
  Pick<App, 'account' | 'clock' | 'signal' | 'session' | 'reset' | 'limitToReading'>;

/**
 * Serves an MCP client that started this program, with the session of the profile, until the client goes away. Where nobody
 * is signed in it serves all the same, and says so to whoever asks for anything.
 */
export async function serveStdio(app: StdioApp, options: ServeStdioOptions): Promise<void> {
  const { readOnly, ownRules } = options;
  if (readOnly) app.limitToReading();
  const { serveMcpStdio } = await import('../../mcp/stdio/serve-stdio.ts');
  const { createGatewayClient } = await import('../../tools/gateway/gateway-client.ts');
  const { withImportedActivities } = await import('../../tools/gateway/imported-activities.ts');
  const { importedActivities } = await import('../portfolio/account-history.ts');
  const profile = await app.profile();
  const session = async () => {
    const found = await app.session();
    if (found !== undefined) return found;
    // So that a sign-in in another terminal is seen.
    await app.reset();
    throw loginRequired();
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
      // The chat and the schedules are of the same OAuth client, and none of this one’s business.
      owns: ({ client, requested_by }) => client === clientId && requested_by?.startsWith('mcp ') === true,
      scopes: new Set(readOnly ? READ_SCOPES : SESSION_SCOPES),
      environment: profile.environment,
      signedIn,
      gateway: withImportedActivities(
        createGatewayClient(
          { profile, fetch: async (url, init, scopes) => (await session()).fetch(url, init, scopes) },
          defined({ account }),
        ),
        importedActivities(app),
      ),
      hasImports: true,
      ...defined({ ownRules }),
      async connectAddress(connection) {
        addresses ??= (await import('./connect-address.ts')).connectAddresses(
          app,
          AbortSignal.any([signal, over.signal]),
        );
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
