import { type ConnectingAccount, connectAccount } from '../../auth/connections/connect-account.ts';
import { connectionNames, REDIRECT_PORT } from '../../auth/connections/known-connections.ts';
import type { App } from '../app.ts';
import { describeConnection, openAccounts } from '../connections/connection-access.ts';

export type ConnectApp = Parameters<typeof openAccounts>[0] & Pick<App, 'clock' | 'signal'>;

/**
 * Where the person connects an account elsewhere, by their own sign-in: one link at a time for each account, waited for by
 * this process where the browser comes back to it.
 * @returns undefined for an account that can't be connected by a link
 */
export function connectAddresses(app: ConnectApp): (connection: string) => Promise<string | undefined> {
  const open = new Map<string, ConnectingAccount>();
  return async (connection) => {
    const name = connectionNames.find((known) => known === connection);
    if (name === undefined) return undefined;
    const { clock, signal } = app;
    const known = open.get(name);
    if (known !== undefined && known.expiresAt > clock.now()) return known.address;
    const [{ provider_name, scopes }, { accounts, finish }] = await Promise.all([
      describeConnection(app, name),
      openAccounts(app),
    ]);
    const options = { connection: provider_name, scopes, finish, redirectPort: REDIRECT_PORT, clock };
    const started = await connectAccount(accounts, options);
    open.set(name, started);
    started
      .complete(signal)
      .catch(() => undefined)
      .finally(() => open.delete(name));
    return started.address;
  };
}
