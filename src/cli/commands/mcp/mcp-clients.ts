import type { ListedMcpClient } from '../../../app/home/users.ts';
import { safeLine } from '../../../text/shown-text.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { folderOf } from '../home/folder-of.ts';

interface ClientsOptions {
  readonly home?: string;
  readonly user?: string;
}

/** `mcp clients`, on the home's own machine: the programs that the consent page let in. */
export function addMcpClients(mcp: CliCommand): void {
  const clients = mcp
    .command('clients')
    .summary('who was let in, and the end of it')
    .description(
      "Other agents that the people of a home have let in by its consent page. At the home's own machine, also while it is served; on the phone, the same is under Programs.",
    )
    .option('--home <folder>', "the home's own folder (default: one beside the agent's)")
    .examples(
      ['trade-agent mcp clients list', 'who, since when, and when last'],
      ['trade-agent mcp clients revoke "Claude Code"', 'its tokens and open proposals end at once'],
    );

  clients
    .command('list', { isDefault: true })
    .description('Lists the MCP clients that were let in. Nobody has verified their names.')
    .option('--user <name>', 'whose (default: anybody)')
    .examples(['trade-agent mcp clients list --output json', 'for scripts'])
    .runs(async (context, options: ClientsOptions, command: CliCommand) => {
      const { listMcpClients } = await import('../../../app/home/users.ts');
      const found = await listMcpClients(context, folderOf(command), options.user);
      await context.output.result('mcp-clients', { clients: found }, () =>
        found.length === 0 ? 'No MCP client is let in.' : found.map(clientLine).join('\n'),
      );
    });

  clients
    .command('revoke')
    .description('Ends what an MCP client was given: its tokens, open proposals and streams, at once.')
    .argument('<id>', 'its id as "mcp clients list" shows it, the beginning of it, or its name')
    .option('--user <name>', 'whose, where several people have let it in')
    .examples(['trade-agent mcp clients revoke V1St --user alice', ''])
    .runs(async (context, id: string, options: ClientsOptions, command: CliCommand) => {
      const { revokeMcpClient } = await import('../../../app/home/users.ts');
      const client = await revokeMcpClient(context, folderOf(command), { user: options.user, id });
      await context.output.result(
        'mcp-client-revoke',
        { client },
        () => `${safeLine(client.name)} (${safeLine(client.host)}) can do nothing more for ${client.user}.`,
      );
    });
}

function clientLine({ user, client_id, name, host, since, last_used_at }: ListedMcpClient): string {
  const used = last_used_at === null ? 'never used' : `last used ${last_used_at}`;
  return `${safeLine(client_id)}  ${safeLine(name)} (${safeLine(host)}), of ${user}, since ${since}, ${used}`;
}
