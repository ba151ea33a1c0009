import { type ConnectingAccount, connectAccount } from '../../auth/connections/connect-account.ts';
import type { ConnectionName } from '../../auth/connections/known-connections.ts';
import type { App } from '../app.ts';
import { type DescribedConnection, describeConnection, openAccounts } from './connection-access.ts';

/** Where the person signs in at the third party, and what they allow there. */
export interface ConnectionLink
  extends DescribedConnection,
    Pick<ConnectingAccount, 'address' | 'ticket' | 'expiresAt'> {
  /** `loopback`: the browser must be on this machine, since it comes back here. */
  readonly finish: 'provider' | 'loopback';
}

export interface AddedConnection extends DescribedConnection {
  /** Whether it was connected before. */
  readonly already: boolean;
}

/**
 * Connects an account elsewhere, and waits until the person has signed in there.
 * @param options.redirectPort where the browser comes back to, for providers that need it
 * @param options.show tells the person where to sign in; not called for an account that is connected already
 * @throws {TradeAgentError} `login_required`, `login_denied`, `login_expired`, `port_in_use`, `provider_error`
 */
export async function addConnection(
  app: App,
  name: ConnectionName,
  options: { readonly redirectPort: number; readonly show: (link: ConnectionLink) => Promise<void> },
): Promise<AddedConnection> {
  const described = await describeConnection(app, name);
  const { accounts, finish } = await openAccounts(app);
  const { provider_name: connection, scopes } = described;
  const earlier = (await accounts.list()).find((account) => account.connection === connection);
  if (earlier !== undefined) return { ...described, scopes: earlier.scopes ?? scopes, already: true };

  const { redirectPort, show } = options;
  const { clock, signal } = app;
  const started = await connectAccount(accounts, { connection, scopes, finish, redirectPort, clock });
  try {
    const { address, ticket, expiresAt } = started;
    await show({ ...described, address, ticket, expiresAt, finish });
    const account = await started.complete(signal);
    return { ...described, scopes: account.scopes ?? scopes, already: false };
  } finally {
    await started.close();
  }
}
