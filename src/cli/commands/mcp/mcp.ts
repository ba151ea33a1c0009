import type { Command } from 'commander';
import { examples, exitCodes } from '../../options/help.ts';
import type { Cli } from '../../surroundings.ts';
import { addMcpClients } from './mcp-clients.ts';

export function addMcpCommand(program: Command, cli: Cli): void {
  const mcp = program
    .command('mcp')
    .summary('other agents that may ask you for orders')
    .description('Other agents (MCP clients) that may ask you for orders; none can place one.')
    .addHelpText('after', examples([['trade-agent mcp clients', 'who was let in']]) + exitCodes([]));
  addMcpClients(mcp, cli);
}
