import { Argument, InvalidArgumentError } from 'commander';
import { sessionExitCodes } from '../../../app/exit-codes.ts';
import type { ListedMcpClient } from '../../../app/home/users.ts';
import { type McpClientName, mcpClientNames } from '../../../app/mcp/client-table.ts';
import type { Installation } from '../../../app/mcp/install.ts';
import { serveStdio } from '../../../app/mcp/serve-stdio.ts';
import { createOwnRules } from '../../../app/own-rules.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { safeLine, safeText } from '../../../text/sanitize.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { askYesNo } from '../../terminal/questions.ts';
import { resolveHomeFolder } from '../home/home-folder-option.ts';
import { addMcpServersCommand } from './mcp-servers.ts';

export function addMcpCommand(program: CliCommand): void {
  const mcp = program
    .command('mcp')
    .description(
      'run an MCP server for other agents on this machine, over stdin and stdout: they can propose orders, and you approve them on your phone',
    )
    .option('--read-only', 'only offer read-only tools')
    .examples(
      ['trade-agent mcp', 'started by an MCP client; uses the session of the profile'],
      ['trade-agent mcp --read-only', 'no proposals or cancellations'],
    )
    .exits(...sessionExitCodes)
    .runs((context, options: { readOnly?: boolean }) => {
      const { stdin, stdout } = context.io;
      const readOnly = options.readOnly ?? false;
      return serveStdio(context, { stdin, stdout, readOnly, ownRules: createOwnRules(context) });
    });
  addMcpClients(mcp);
  addMcpServersCommand(mcp);
  addMcpInstall(mcp);
}

interface ClientsOptions {
  readonly home?: string;
  readonly user?: string;
}

/**
 * Adds `mcp clients`, which manages the clients that people allowed on the consent page. Must run on the home's
 * machine.
 */
function addMcpClients(mcp: CliCommand): void {
  const clients = mcp
    .command('clients')
    .summary('list and revoke the agents that users allowed')
    .description(
      "Manage other agents that users of a home allowed on its consent page. Run it on the home's own machine; it works while the home runs. On the phone, see Apps.",
    )
    .option('--home <folder>', "the home's folder (default: next to the agent's)")
    .examples(
      ['trade-agent mcp clients list', 'who, since when, and last use'],
      ['trade-agent mcp clients revoke "Claude Code"', 'ends its tokens and open proposals immediately'],
    );

  clients
    .command('list', { isDefault: true })
    .description('List the allowed MCP clients. Their names are not verified.')
    .option('--user <name>', 'only this user (default: all users)')
    .examples(['trade-agent mcp clients list --output json', 'for scripts'])
    .runs(async (context, options: ClientsOptions, command: CliCommand) => {
      const { listMcpClients } = await import('../../../app/home/users.ts');
      const found = await listMcpClients(context, resolveHomeFolder(command), options.user);
      await context.output.result('mcp-clients', { clients: found }, () =>
        found.length === 0 ? 'No MCP clients are allowed.' : found.map(clientLine).join('\n'),
      );
    });

  clients
    .command('revoke')
    .description('Revoke the access of an MCP client: end its tokens, open proposals and streams immediately.')
    .argument('<id>', 'the client\'s ID from "mcp clients list" (or a unique prefix of the ID), or its name')
    .option('--user <name>', 'the user, if several users have allowed it')
    .examples(['trade-agent mcp clients revoke V1St --user alice', ''])
    .runs(async (context, id: string, options: ClientsOptions, command: CliCommand) => {
      const { revokeMcpClient } = await import('../../../app/home/users.ts');
      const client = await revokeMcpClient(context, resolveHomeFolder(command), { user: options.user, id });
      await context.output.result(
        'mcp-client-revoke',
        { client },
        () => `${safeLine(client.name)} (${safeLine(client.host)}) no longer has access for ${client.user}.`,
      );
    });
}

function clientLine({ user, client_id, name, host, since, last_used_at }: ListedMcpClient): string {
  const used = last_used_at === null ? 'never used' : `last used ${last_used_at}`;
  return `${safeLine(client_id)}  ${safeLine(name)} (${safeLine(host)}), of ${user}, since ${since}, ${used}`;
}

interface InstallFlags {
  readonly name: string;
  readonly remote?: boolean;
  readonly readOnly?: boolean;
  readonly print?: boolean;
  readonly yes?: boolean;
}

function addMcpInstall(mcp: CliCommand): void {
  mcp
    .command('install')
    .summary('add trade-agent to the settings of an MCP client')
    .description(
      "Add trade-agent to the settings of an MCP client on this machine: as a program that the client starts and that uses the profile's session, or (with --remote) as the address of the profile's gateway. Shows the new entry and asks first. The rest of the file does not change.",
    )
    .addArgument(new Argument('<client>', 'the MCP client').choices(mcpClientNames))
    .option('--remote', "connect to the gateway's address, where the client signs in on its own")
    .option('--name <name>', 'name of the server in the client', serverName, 'trade-agent')
    .option('--print', 'only show the entry')
    .option('--yes', 'skip the prompt')
    .examples(
      ['trade-agent mcp install claude-code', 'shows the entry and asks'],
      ['trade-agent mcp install codex --remote --yes', 'by the address of the gateway'],
      ['trade-agent mcp install claude --profile live --name live', 'a second entry, for another profile'],
    )
    .runs(
      (
        context,
        client: McpClientName,
        _own: InstallFlags,
        command: CliCommand, // `mcp` has --read-only.
      ) => install(context, client, command.optsWithGlobals<InstallFlags>()),
    );
}

function serverName(text: string): string {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError('Use up to 64 letters, digits, "-" and "_".');
}

async function install(context: Context, client: McpClientName, flags: InstallFlags): Promise<void> {
  const { installMcp } = await import('../../../app/mcp/install.ts');
  const { name, remote = false, readOnly = false, print = false, yes = false } = flags;
  const options = { client, name, remote, readOnly, print };
  const found = await installMcp(context, options, async (seen) => yes || confirmInstall(context, seen));
  await context.output.result('mcp-install', { ...found }, () => installationText(found, yes || print));
}

async function confirmInstall({ io, signal }: Context, found: Installation): Promise<boolean> {
  io.talk(entryText(found));
  if (!io.interactive) {
    throw new TradeAgentError('usage', `this changes the settings of ${found.title}`, {
      hint: 'Pass --yes to skip the prompt, or --print to only show the entry.',
    });
  }
  return askYesNo({ io, signal }, 'Write this?');
}

function installationText(found: Installation, isToBeShown: boolean): string {
  const file = safeLine(found.file);
  const done = {
    written: `Wrote ${file}.`,
    unchanged: `${file} already has this entry.`,
    shown: 'Nothing was written.',
  }[found.state];
  return [...(isToBeShown ? [entryText(found)] : []), done, ...found.next].join('\n');
}

/** Formats only trade-agent's entry, because other entries in the file may contain keys. */
function entryText({ file, section, entry, replaces }: Installation): string {
  const marked = (mark: string, text: string) =>
    safeText(text)
      .split('\n')
      .map((line) => `${mark} ${line}`.trimEnd());
  return [
    `${safeLine(file)}, ${section}:`,
    ...(replaces === null || replaces === entry ? [] : marked('-', replaces)),
    ...marked('+', entry),
  ].join('\n');
}
