import type { Context } from '../context.ts';
import { describeConnection, openAccounts, readConnectionName } from './connection-access.ts';

/** Disconnects an account; one that isn't connected is no error. */
export async function removeConnection(context: Context, text: string): Promise<void> {
  const { name, label, provider_name } = await describeConnection(context, readConnectionName(text));
  const { accounts } = await openAccounts(context);
  const account = (await accounts.list()).find(({ connection }) => connection === provider_name);
  if (account !== undefined) await accounts.remove(account.id);
  const removed = account !== undefined;
  await context.output.result('connection-remove', { name, provider_name, connected: false, removed }, () =>
    removed ? `Disconnected ${label}.` : `There was no connection to ${label}.`,
  );
}
