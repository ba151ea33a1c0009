import type { ConnectionName } from '../../auth/connections/known-connections.ts';
import type { App } from '../app.ts';
import { type DescribedConnection, describeConnection, openAccounts } from './connection-access.ts';

/**
 * Disconnects an account, here and at the third party.
 * @returns with `removed` false where it was not connected, which is no error
 * @throws {TradeAgentError} `login_required`, `invalid_config`
 */
export async function removeConnection(
  app: App,
  name: ConnectionName,
): Promise<DescribedConnection & { readonly removed: boolean }> {
  const described = await describeConnection(app, name);
  const { accounts } = await openAccounts(app);
  const account = (await accounts.list()).find(({ connection }) => connection === described.provider_name);
  if (account !== undefined) await accounts.remove(account.id);
  return { ...described, removed: account !== undefined };
}
