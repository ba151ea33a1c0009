import { Argument, InvalidArgumentError } from 'commander';
import { sessionExitCodes } from '../../../app/exit-codes.ts';
import { type McpClientName, mcpClientNames } from '../../../app/mcp/client-table.ts';
import type { Installation } from '../../../app/mcp/install.ts';
import { serveStdio } from '../../../app/mcp/serve-stdio.ts';
import { createOwnRules } from '../../../app/own-rules.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { safeLine, safeText } from '../../../text/sanitize.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { askYesNo } from '../../terminal/questions.ts';
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
  addMcpServersCommand(mcp);
  addMcpInstall(mcp);
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
        command: CliCommand, // `mcp` has its own --read-only.
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
