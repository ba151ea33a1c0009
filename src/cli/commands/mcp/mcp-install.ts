import { Argument, InvalidArgumentError } from 'commander';
import { type McpClientName, mcpClientNames } from '../../../app/mcp/client-table.ts';
import type { Installation } from '../../../app/mcp/install.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { safeLine, safeText } from '../../../text/shown-text.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { saysYes } from '../../terminal/questions.ts';

interface InstallFlags {
  readonly name: string;
  readonly remote?: boolean;
  readonly readOnly?: boolean;
  readonly print?: boolean;
  readonly yes?: boolean;
}

/** `mcp install`: one entry in another program's settings, shown before it is written. */
export function addMcpInstall(mcp: CliCommand): void {
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
