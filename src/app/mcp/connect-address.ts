import { type ConnectingAccount, connectAccount } from '../../auth/connections/connect-account.ts';
import {
  type ConnectionName,
  connectionNames,
  REDIRECT_PORT,
} from '../../auth/connections/known-connections.ts';
import { describeConnection, openAccounts } from '../connections/connection-access.ts';

export type ConnectApp = Parameters<typeof openAccounts>[0];

/**
 * Where the person connects an account elsewhere, by their own sign-in: one link at a time for each account, waited for by
 * this process where the browser comes back to it.
 * @param signal ends the waiting
 * @returns undefined for an account that can't be connected by a link
 */
export function connectAddresses(
  app: ConnectApp,
  signal: AbortSignal,
): (connection: string) => Promise<string | undefined> {
  /** Under way: each ends when the person is done, refuses, or lets it expire. */
  const open = new Map<string, Promise<ConnectingAccount>>();
  const start = async (name: ConnectionName): Promise<ConnectingAccount> => {
    const [{ provider_name: connection, scopes }, { accounts, finish }] = await Promise.all([
      describeConnection(app, name),
      openAccounts(app),
    ]);
    const options = { connection, scopes, finish, redirectPort: REDIRECT_PORT, clock: app.clock };
    const started = await connectAccount(accounts, options);
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
