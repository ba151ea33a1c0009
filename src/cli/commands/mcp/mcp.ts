import { Argument, InvalidArgumentError } from 'commander';
import { sessionExits } from '../../../app/exit-codes.ts';
import type { ListedMcpClient } from '../../../app/home/users.ts';
import { type McpClientName, mcpClientNames } from '../../../app/mcp/client-table.ts';
import type { Installation } from '../../../app/mcp/install.ts';
import { serveStdio } from '../../../app/mcp/serve-stdio.ts';
import { ownRules } from '../../../app/own-rules.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { safeLine, safeText } from '../../../text/shown-text.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { saysYes } from '../../terminal/questions.ts';
import { folderOf } from '../home/folder-of.ts';
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

interface ClientsOptions {
  readonly home?: string;
  readonly user?: string;
}

/** `mcp clients`, on the home's own machine: the programs allowed on the consent page. */
function addMcpClients(mcp: CliCommand): void {
  const clients = mcp
    .command('clients')
    .summary('list and remove the agents that people allowed')
    .description(
      "Other agents that the people of a home allowed on its consent page. At the home's own machine, also while it is served; on the phone, the same is under Programs.",
    )
    .option('--home <folder>', "the home's own folder (default: one beside the agent's)")
    .examples(
      ['trade-agent mcp clients list', 'who, since when, and when last'],
      ['trade-agent mcp clients revoke "Claude Code"', 'its tokens and open proposals end at once'],
    );

  clients
    .command('list', { isDefault: true })
    .description('Lists the MCP clients that were allowed. Nobody has verified their names.')
    .option('--user <name>', 'whose (default: anybody)')
    .examples(['trade-agent mcp clients list --output json', 'for scripts'])
    .runs(async (context, options: ClientsOptions, command: CliCommand) => {
      const { listMcpClients } = await import('../../../app/home/users.ts');
      const found = await listMcpClients(context, folderOf(command), options.user);
      await context.output.result('mcp-clients', { clients: found }, () =>
        found.length === 0 ? 'No MCP client is allowed.' : found.map(clientLine).join('\n'),
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

interface InstallFlags {
  readonly name: string;
  readonly remote?: boolean;
  readonly readOnly?: boolean;
  readonly print?: boolean;
  readonly yes?: boolean;
}

/** `mcp install`: one entry in another program's settings, shown before it is written. */
function addMcpInstall(mcp: CliCommand): void {
  mcp
    .command('install')
    .summary('name it in the settings of an MCP client')
    .description(
      'Names trade-agent in the settings of an MCP client of this machine: as a program that it starts, with the session of the profile, or by the address of its gateway. Shows what it writes, and asks; the rest of the file stays as it is.',
    )
    .addArgument(new Argument('<client>', 'which').choices(mcpClientNames))
    .option('--remote', "the gateway's address, where the client signs in for itself")
    .option('--name <name>', "the server's name in the client", serverName, 'trade-agent')
    .option('--print', 'only show it')
    .option('--yes', "don't ask")
    .examples(
      ['trade-agent mcp install claude-code', 'shows what it would write, and asks'],
      ['trade-agent mcp install codex --remote --yes', 'by the address of the gateway'],
      ['trade-agent mcp install claude --profile live --name live', 'a second one, of another profile'],
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
  throw new InvalidArgumentError('Use letters, digits, "-" and "_", 64 at most.');
}

async function install(context: Context, client: McpClientName, flags: InstallFlags): Promise<void> {
  const { installMcp } = await import('../../../app/mcp/install.ts');
  const { name, remote = false, readOnly = false, print = false, yes = false } = flags;
  const options = { client, name, remote, readOnly, print };
  const found = await installMcp(context, options, async (seen) => yes || agree(context, seen));
  await context.output.result('mcp-install', { ...found }, () => installationText(found, yes || print));
}

async function agree({ io, signal }: Context, found: Installation): Promise<boolean> {
  io.talk(entryText(found));
  if (!io.interactive) {
    throw new TradeAgentError('usage', `this writes into the settings of ${found.title}`, {
      hint: 'Say --yes to write it without being asked; --print shows it alone.',
    });
  }
  return saysYes({ io, signal }, 'Write this?');
}

function installationText(found: Installation, isToBeShown: boolean): string {
  const file = safeLine(found.file);
  const done = {
    written: `${file} is written.`,
    unchanged: `${file} has it already.`,
    shown: 'Nothing is written.',
  }[found.state];
  return [...(isToBeShown ? [entryText(found)] : []), done, ...found.next].join('\n');
}

/** Only our part: keys of others may stand beside it. */
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
