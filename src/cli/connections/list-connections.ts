import { connectionNames } from '../../auth/connections/known-connections.ts';
import { safeLine } from '../../net/shown-text.ts';
import type { Context } from '../context.ts';
import { describeConnection, openAccounts } from './connection-access.ts';

export async function listConnections(context: Context): Promise<void> {
  const accounts = await (await openAccounts(context)).accounts.list();
  const connections = await Promise.all(
    connectionNames.map(async (name) => {
      const { provider_name, label, scopes } = await describeConnection(context, name);
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
  await context.output.result('connections', { connections }, async () => {
    const { table } = await import('../text/table.ts');
    return table<(typeof connections)[number]>(
      [
        { head: 'NAME', cell: ({ name }) => name },
        { head: 'ACCOUNT', cell: ({ label }) => label },
        { head: 'STATUS', cell: ({ connected }) => (connected ? 'connected' : 'not connected') },
        { head: 'MAY', cell: ({ scopes }) => safeLine(scopes.join(' ')) },
        { head: 'SINCE', cell: ({ connected_at }) => safeLine(connected_at ?? '') },
      ],
      connections,
    );
  });
}
