import type { Command } from 'commander';
import { sessionExits } from '../../../app/exit-codes.ts';
import { serveStdio } from '../../../app/mcp/serve-stdio.ts';
import { ownRules } from '../../../app/own-rules.ts';
import type { Cli } from '../../context/cli.ts';
import { runCommand } from '../../context/run-command.ts';
import { examples, exitCodes } from '../../options/help.ts';
import { addMcpClients } from './mcp-clients.ts';
import { addMcpInstall } from './mcp-install.ts';
import { addMcpServers } from './mcp-servers.ts';

interface McpOptions {
  readonly readOnly?: boolean;
}

export function addMcpCommand(program: Command, cli: Cli): void {
  const mcp = program
    .command('mcp')
    .description(
      'serve other agents on this machine, over stdin and stdout (Model Context Protocol): they may propose, and you decide on your phone',
    )
    .option('--read-only', 'have only what reads')
    .addHelpText(
      'after',
      examples([
        ['trade-agent mcp', 'for an MCP client to start, with the session of the profile'],
        ['trade-agent mcp --read-only', 'nothing that asks or cancels'],
      ]) + exitCodes(sessionExits),
    )
    .action((options: McpOptions, command: Command) =>
      runCommand(cli, command, (context) => {
        const { stdin, stdout } = context.io;
        const readOnly = options.readOnly ?? false;
        return serveStdio(context, { stdin, stdout, readOnly, ownRules: ownRules(context) });
      }),
    );
  addMcpClients(mcp, cli);
  addMcpServers(mcp, cli);
  addMcpInstall(mcp, cli);
}
