import {
  type ConnectionName,
  connectionNames,
  knownConnections,
  providerConnection,
} from '../../auth/connections/known-connections.ts';
import {
  type OpenConnectedAccounts,
  openConnectedAccounts,
} from '../../auth/connections/open-connected-accounts.ts';
import { TradeAgentError } from '../../trading/errors.ts';
import type { Context } from '../context.ts';

/** The accounts elsewhere of whoever is signed in. @throws {TradeAgentError} `login_required`, `invalid_config` */
export async function openAccounts(context: Context): Promise<OpenConnectedAccounts> {
  await context.requireSession();
  const [profile, store, home] = await Promise.all([context.profile(), context.store(), context.home()]);
  return openConnectedAccounts(profile, store, { home, fetch: context.fetch, clock: context.clock });
}

/** @throws {TradeAgentError} `usage` */
export function readConnectionName(text: string): ConnectionName {
  const name = connectionNames.find((known) => known === text);
  if (name !== undefined) return name;
  throw new TradeAgentError('usage', `there is no connection "${text}"`, {
    hint: `Choose from ${connectionNames.join(', ')}.`,
  });
}

/** A connection with what it is called here, at the provider, and to people. */
export async function describeConnection(context: Context, name: ConnectionName) {
  return {
    name,
    provider_name: providerConnection(await context.profile(), name),
    ...knownConnections[name],
  };
}
