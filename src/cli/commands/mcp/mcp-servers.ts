import { exitCodes, sessionExitCodes } from '../../../app/exit-codes.ts';
import type {
  ConfirmUnsafeTools,
  InspectedMcpServer,
  McpServerLocation,
  OpenBrowser,
} from '../../../app/mcp/servers.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { ComparedTool } from '../../../mcp/client/compared-tools.ts';
import { safeLine } from '../../../text/sanitize.ts';
import { defined } from '../../../values/defined.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { askYesNo, promptUntilValid } from '../../terminal/questions.ts';
import { mcpServerLine, mcpServerText, mcpToolText, toMcpToolData } from './server-view.ts';

const unsafeOption = [
  '--unsafe',
  'also allow tools that could trade, move money or destroy data without your approval; you must type each name',
] as const;

const collect = (value: string, all: readonly string[]) => [...all, value];

export function addMcpServersCommand(mcp: CliCommand): void {
  const servers = mcp
    .command('servers')
    .summary('manage third-party servers for the language model')
    .description(
      'Manage third-party MCP servers (news, research) whose tools a language model may use. Only tools that you allow are offered, and only while they are unchanged. Their results are treated as data, and approval requests on your phone name the server. The built-in planner does not use these tools.',
    )
    .examples(
      ['trade-agent mcp servers add news --url https://news.example/mcp', 'shows its tools and asks'],
      ['trade-agent mcp servers test news', 'shows its tools and what changed; signs in if needed'],
    );
  servers
    .command('list', { isDefault: true })
    .description('list the servers of the profile, without contacting them')
    .examples(['trade-agent mcp servers list --output json', 'for scripts'])
    .runs(list);
  addAdd(servers);
  servers
    .command('test')
    .description(
      'Connect to a server and show its tools. Exits with 3 if a tool that you allowed is disabled. If the server needs a sign-in, prints the address and waits.',
    )
    .argument('<name>', 'a name from "mcp servers list"')
    .examples(['trade-agent mcp servers test news', 'its tools and their state'])
    .exits(exitCodes.found, ...sessionExitCodes)
    .runs(test);
  servers
    .command('allow')
    .description('Allow tools of a server as they are now, and show their definitions.')
    .argument('<name>', 'a name from "mcp servers list"')
    .argument('<tools...>', "the tools' names on the server")
    .option(...unsafeOption)
    .examples(['trade-agent mcp servers allow news search headlines', 'allows two of its tools'])
    .exits(...sessionExitCodes, exitCodes.blocked)
    .runs((context, name: string, tools: readonly string[], { unsafe }: UnsafeOption) =>
      allow(context, name, tools, { agree: async () => undefined, unsafe }),
    );
  servers
    .command('confirm')
    .description('Show the current definition of a tool, ask, and allow it again.')
    .argument('<name>', 'a name from "mcp servers list"')
    .argument('<tool>', 'a changed or unconfirmed tool')
    .option('--yes', 'skip the prompt')
    .option(...unsafeOption)
    .examples(['trade-agent mcp servers confirm news search', 'shows it first'])
    .exits(...sessionExitCodes, exitCodes.blocked)
    .runs((context, name: string, tool: string, { yes = false, unsafe }: UnsafeOption & { yes?: boolean }) =>
      allow(context, name, [tool], { agree: (tools) => confirmMcpTools(context, tools, yes), unsafe }),
    );
  servers
    .command('remove')
    .description('Remove a server from the profile and delete its tokens.')
    .argument('<name>', 'a name from "mcp servers list"')
    .examples(['trade-agent mcp servers remove news', ''])
    .exits(exitCodes.credentialStore)
    .runs(remove);
}

interface UnsafeOption {
  readonly unsafe?: boolean | undefined;
}

interface AddOptions extends UnsafeOption, Pick<McpServerLocation, 'command' | 'url'> {
  readonly env: readonly string[];
  readonly tool: readonly string[];
  readonly clientId?: string;
}

function addAdd(servers: CliCommand): void {
  servers
    .command('add')
    .description(
      'Connect to a server, show its tools, ask which to allow, and add it to the profile. A program runs with all your permissions, so only add programs that you trust.',
    )
    .argument('<name>', 'lower-case letters, digits and -')
    .argument('[args...]', 'arguments of the program, after "--"')
    .option('--command <program>', 'a local program to start, which speaks MCP over stdin and stdout')
    .option('--env <variable>', 'an environment variable to pass to the program; repeatable', collect, [])
    .option('--url <address>', 'the address of an HTTP server, instead of --command')
    .option('--client-id <id>', "trade-agent's client ID at the server, if the server has no dynamic registration")
    .option('--tool <name>', 'allow this tool without asking; repeatable', collect, [])
    .option(...unsafeOption)
    .examples(
      ['trade-agent mcp servers add news --url https://news.example/mcp', 'asks which tools to allow'],
      ['trade-agent mcp servers add files --command npx --tool read -- -y some-server /data', 'for scripts'],
    )
    .exits(...sessionExitCodes)
    .runs(add);
}

async function list(context: Context): Promise<void> {
  const { listMcpServers } = await import('../../../app/mcp/servers.ts');
  const found = await listMcpServers(context);
  await context.output.result('mcp-servers', { servers: found }, () =>
    found.length === 0
      ? 'No servers. Add one with "trade-agent mcp servers add" (docs/guide/MCP.md).'
      : found.map(mcpServerLine).join('\n'),
  );
}

async function add(
  context: Context,
  name: string,
  args: readonly string[],
  { command, url, env, tool, clientId, unsafe = false }: AddOptions,
): Promise<void> {
  const { addMcpServer } = await import('../../../app/mcp/servers.ts');
  const place: McpServerLocation = {
    ...defined({ command }),
    ...(args.length === 0 ? {} : { args: [...args] }),
    ...(env.length === 0 ? {} : { env: [...env] }),
    ...defined({ url, client_id: clientId }),
  };
  const added = await addMcpServer(context, name, place, {
    open: signInOpener(context),
    choose: (looked) => chooseMcpTools(context, looked, tool, unsafe),
    insist: unsafe ? createUnsafeToolsConfirmation(context) : undefined,
  });
  const { tools, ...server } = added;
  await context.output.result('mcp-server', { ...server, tools: tools.map(toMcpToolData) }, () => mcpServerText(added));
}

async function test(context: Context, name: string): Promise<number> {
  const { inspectMcpServer } = await import('../../../app/mcp/servers.ts');
  const looked = await inspectMcpServer(context, name, signInOpener(context));
  const { tools, ...server } = looked;
  await context.output.result('mcp-server', { ...server, tools: tools.map(toMcpToolData) }, () =>
    mcpServerText(looked),
  );
  const allowed = (await context.writtenProfile()).mcp_servers?.[name]?.tools ?? [];
  const isOff = tools.some((tool) => allowed.includes(tool.name) && tool.state !== 'offered');
  return isOff ? exitCodes.found : exitCodes.done;
}

async function allow(
  context: Context,
  name: string,
  tools: readonly string[],
  { agree, unsafe = false }: UnsafeOption & { readonly agree: (tools: readonly ComparedTool[]) => Promise<void> },
): Promise<void> {
  const { allowMcpTools } = await import('../../../app/mcp/servers.ts');
  const allowed = await allowMcpTools(context, name, tools, {
    open: signInOpener(context),
    agree,
    insist: unsafe ? createUnsafeToolsConfirmation(context) : undefined,
  });
  await context.output.result('mcp-tools', { name, tools: allowed.map(toMcpToolData) }, () =>
    allowed.map((tool) => mcpToolText(tool)).join('\n'),
  );
}

async function remove(context: Context, name: string): Promise<void> {
  const { removeMcpServer } = await import('../../../app/mcp/servers.ts');
  await removeMcpServer(context, name);
  await context.output.result('mcp-server-remove', { name }, () => `Removed MCP server ${name}.`);
}

/** Returns a function that prints the sign-in address and, on a terminal, opens it in a browser. */
function signInOpener(context: Context): OpenBrowser {
  return async (url) => {
    const { io } = context;
    io.talk('Sign in to the server in a browser on this machine:');
    io.talk(`  ${io.paint('stderr', 'underline', safeLine(url))}`);
    io.talk('Only continue if you know the site that opens. Waiting…');
    if (!io.interactive) return;
    const { openBrowser } = await import('../../terminal/open-browser.ts');
    await openBrowser(context, url);
  };
}

/** Lets the person choose tools. @param unsafe whether to offer tools that could act without approval */
export async function chooseMcpTools(
  { io, signal }: Context,
  looked: InspectedMcpServer,
  named: readonly string[],
  unsafe: boolean,
): Promise<readonly string[]> {
  const fit = looked.tools.filter((tool) => tool.fit !== undefined && (unsafe || tool.danger === undefined));
  if (named.length > 0 || !io.interactive || fit.length === 0) return named;
  io.talk(mcpServerText(looked));
  const byNumber = fit.map(({ name }) => name);
  io.talk('');
  for (const [index, name] of byNumber.entries()) io.talk(`  ${index + 1}  ${safeLine(name)}`);
  const read = (text: string) =>
    text
      .split(/[\s,]+/)
      .filter((word) => word !== '')
      .map((word) => byNumber[Number(word) - 1] ?? word);
  const answer = await promptUntilValid(
    { io, signal },
    'Which of them may the language model use? (numbers, or Enter for none) ',
    (text) => read(text).every((name) => byNumber.includes(name)),
    'Type their numbers, separated by spaces or commas.',
  );
  return [...new Set(read(answer))];
}

/** Asks the person to confirm tools. @throws {TradeAgentError} `usage`; `interrupted` if the person declines */
export async function confirmMcpTools(
  { io, signal }: Context,
  tools: readonly ComparedTool[],
  yes: boolean,
): Promise<void> {
  if (yes) return;
  if (!io.interactive) {
    throw new TradeAgentError('usage', 'confirming a tool needs a terminal', {
      hint: 'Review it with "trade-agent mcp servers test", then pass --yes.',
    });
  }
  for (const tool of tools) io.talk(mcpToolText(tool));
  if (await askYesNo({ io, signal }, 'Allow this tool?')) return;
  throw new TradeAgentError('interrupted', 'nothing was confirmed');
}

/** Returns a function that makes the person type each tool's name. It throws `usage` or `interrupted`. */
export function createUnsafeToolsConfirmation({ io, signal }: Pick<Context, 'io' | 'signal'>): ConfirmUnsafeTools {
  return async (server, tools) => {
    if (!io.interactive) {
      throw new TradeAgentError('usage', 'allowing unsafe tools needs a terminal', {
        hint: 'Run it in a terminal, because --unsafe requires you to type the name of each tool.',
      });
    }
    io.talk('A language model can call these tools without your approval:');
    for (const tool of tools) io.talk(mcpToolText(tool));
    for (const { name } of tools) {
      const typed = await io.prompt(`Type "${server} ${safeLine(name)}" to allow it: `, signal);
      if (typed.trim() !== `${server} ${safeLine(name)}`)
        throw new TradeAgentError('interrupted', 'nothing was allowed');
    }
  };
}
