import { connectionNames } from '../../auth/connections/known-connections.ts';
import type { App } from '../app.ts';
import { type DescribedConnection, describeConnection, openAccounts } from './connection-access.ts';

export interface ListedConnection extends DescribedConnection {
  readonly connected: boolean;
  /** As the provider says it. */
  readonly connected_at: string | null;
}

/** What is connected, and what could be. @throws {TradeAgentError} `login_required`, `invalid_config` */
export async function listConnections(app: App): Promise<readonly ListedConnection[]> {
  const accounts = await (await openAccounts(app)).accounts.list();
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
