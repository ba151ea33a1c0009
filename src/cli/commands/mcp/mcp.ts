import { sessionExits } from '../../../app/exit-codes.ts';
import { serveStdio } from '../../../app/mcp/serve-stdio.ts';
import { ownRules } from '../../../app/own-rules.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { addMcpClients } from './mcp-clients.ts';
import { addMcpInstall } from './mcp-install.ts';
import { addMcpServers } from './mcp-servers.ts';

export function addMcpCommand(program: CliCommand): void {
  const mcp = program
    .command('mcp')
    .description(
      'serve other agents on this machine, over stdin and stdout (Model Context Protocol): they may propose, and you decide on your phone',
    )
    .option('--read-only', 'have only what reads')
    .examples(
      ['trade-agent mcp', 'for an MCP client to start, with the session of the profile'],
      ['trade-agent mcp --read-only', 'nothing that asks or cancels'],
    )
    .exits(...sessionExits)
    .runs((context, options: { readOnly?: boolean }) => {
      const { stdin, stdout } = context.io;
      const readOnly = options.readOnly ?? false;
      return serveStdio(context, { stdin, stdout, readOnly, ownRules: ownRules(context) });
    });
  addMcpClients(mcp);
  addMcpServers(mcp);
  addMcpInstall(mcp);
}
