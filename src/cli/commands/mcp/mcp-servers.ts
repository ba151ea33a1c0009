import { exits, sessionExits } from '../../../app/exit-codes.ts';
import type { Insist, LookedAtServer, OpenBrowser, ServerPlace } from '../../../app/mcp/servers.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { ComparedTool } from '../../../mcp/client/compared-tools.ts';
import { safeLine } from '../../../text/shown-text.ts';
import { defined } from '../../../values/defined.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { askUntil, saysYes } from '../../terminal/questions.ts';
import { serverLine, serverText, toolData, toolText } from './server-view.ts';

const unsafeOption = [
  '--unsafe',
  'allow tools that could trade, move money or destroy something without your phone; each is to be typed by name',
] as const;

const collect = (value: string, all: readonly string[]) => [...all, value];

/** `mcp servers`: other people's servers that the language model may use. */
export function addMcpServers(mcp: CliCommand): void {
  const servers = mcp
    .command('servers')
    .summary("other people's servers, for the language model")
    .description(
      "Other people's MCP servers (news, research), whose tools a language model may use. Only tools that you allow are offered, each as it was when you allowed it; what they answer is data, and the phone names the server. The built-in planner uses none.",
    )
    .examples(
      ['trade-agent mcp servers add news --url https://news.example/mcp', 'shows its tools, and asks'],
      ['trade-agent mcp servers test news', 'what it has, and what changed; signs in where it must'],
    );
  servers
    .command('list', { isDefault: true })
    .description('list the servers of the profile; asks none of them anything')
    .examples(['trade-agent mcp servers list --output json', 'for scripts'])
    .runs(list);
  addAdd(servers);
  servers
    .command('test')
    .description(
      'Connects a server and says what it has: exit 3 where a tool that you allowed is off. Prints the address to sign in at where it wants that, and waits.',
    )
    .argument('<name>', 'one of those that "mcp servers list" shows')
    .examples(['trade-agent mcp servers test news', 'its tools, and how each stands'])
    .exits(exits.found, ...sessionExits)
    .runs(test);
  servers
    .command('allow')
    .description('Allows tools of a server, as they are now, and shows what they say of themselves.')
    .argument('<name>', 'one of those that "mcp servers list" shows')
    .argument('<tools...>', "by the server's own names")
    .option(...unsafeOption)
    .examples(['trade-agent mcp servers allow news search headlines', 'two of its tools'])
    .exits(...sessionExits, exits.blocked)
    .runs((context, name: string, tools: readonly string[], { unsafe }: UnsafeOption) =>
      allow(context, name, tools, { agree: async () => undefined, unsafe }),
    );
  servers
    .command('confirm')
    .description('Shows what a tool says of itself now, asks, and allows it again as it is.')
    .argument('<name>', 'one of those that "mcp servers list" shows')
    .argument('<tool>', 'one that changed, or that nobody has confirmed')
    .option('--yes', "don't ask")
    .option(...unsafeOption)
    .examples(['trade-agent mcp servers confirm news search', 'reads it to you first'])
    .exits(...sessionExits, exits.blocked)
    .runs((context, name: string, tool: string, { yes = false, unsafe }: UnsafeOption & { yes?: boolean }) =>
      allow(context, name, [tool], { agree: (tools) => agreeTo(context, tools, yes), unsafe }),
    );
  servers
    .command('remove')
    .description('Takes a server out of the profile, and forgets the tokens that were for it.')
    .argument('<name>', 'one of those that "mcp servers list" shows')
    .examples(['trade-agent mcp servers remove news', ''])
    .exits(exits.credentialStore)
    .runs(remove);
}

interface UnsafeOption {
  readonly unsafe?: boolean | undefined;
}

interface AddOptions extends UnsafeOption, Pick<ServerPlace, 'command' | 'url'> {
  readonly env: readonly string[];
  readonly tool: readonly string[];
  readonly clientId?: string;
}

function addAdd(servers: CliCommand): void {
  servers
    .command('add')
    .description(
      'Connects a server, shows its tools, asks which to allow, and writes them into the profile. A program runs as you, with all that you may do: add only what you trust with that.',
    )
    .argument('<name>', 'small letters, digits and -')
    .argument('[args...]', 'of the program, after "--"')
    .option('--command <program>', 'a program that is started here, and speaks over stdin and stdout')
    .option('--env <variable>', 'the name of a variable that it is given; may be repeated', collect, [])
    .option('--url <address>', 'or the address of a server that speaks HTTP')
    .option('--client-id <id>', 'our client there, where it registers none by itself')
    .option('--tool <name>', 'allows this tool without asking; may be repeated', collect, [])
    .option(...unsafeOption)
    .examples(
      ['trade-agent mcp servers add news --url https://news.example/mcp', 'asks which tools to allow'],
      ['trade-agent mcp servers add files --command npx --tool read -- -y some-server /data', 'for scripts'],
    )
    .exits(...sessionExits)
    .runs(add);
}

async function list(context: Context): Promise<void> {
  const { listServers } = await import('../../../app/mcp/servers.ts');
  const found = await listServers(context);
  await context.output.result('mcp-servers', { servers: found }, () =>
    found.length === 0
      ? 'No servers: "trade-agent mcp servers add" adds one (docs/guide/MCP.md).'
      : found.map(serverLine).join('\n'),
  );
}

async function add(
  context: Context,
  name: string,
  args: readonly string[],
  { command, url, env, tool, clientId, unsafe = false }: AddOptions,
): Promise<void> {
  const { addServer } = await import('../../../app/mcp/servers.ts');
  const place: ServerPlace = {
    ...defined({ command }),
    ...(args.length === 0 ? {} : { args: [...args] }),
    ...(env.length === 0 ? {} : { env: [...env] }),
    ...defined({ url, client_id: clientId }),
  };
  const added = await addServer(context, name, place, {
    open: openToSignIn(context),
    choose: (looked) => chooseTools(context, looked, tool, unsafe),
    insist: unsafe ? insistOn(context) : undefined,
  });
  const { tools, ...server } = added;
  await context.output.result('mcp-server', { ...server, tools: tools.map(toolData) }, () =>
    serverText(added),
  );
}

async function test(context: Context, name: string): Promise<number> {
  const { lookAtServer } = await import('../../../app/mcp/servers.ts');
  const looked = await lookAtServer(context, name, openToSignIn(context));
  const { tools, ...server } = looked;
  await context.output.result('mcp-server', { ...server, tools: tools.map(toolData) }, () =>
    serverText(looked),
  );
  const allowed = (await context.profile()).mcp_servers?.[name]?.tools ?? [];
  const isOff = tools.some((tool) => allowed.includes(tool.name) && tool.state !== 'offered');
  return isOff ? exits.found : exits.done;
}

async function allow(
  context: Context,
  name: string,
  tools: readonly string[],
  {
    agree,
    unsafe = false,
  }: UnsafeOption & { readonly agree: (tools: readonly ComparedTool[]) => Promise<void> },
): Promise<void> {
  const { allowTools } = await import('../../../app/mcp/servers.ts');
  const allowed = await allowTools(context, name, tools, {
    open: openToSignIn(context),
    agree,
    insist: unsafe ? insistOn(context) : undefined,
  });
  await context.output.result('mcp-tools', { name, tools: allowed.map(toolData) }, () =>
    allowed.map((tool) => toolText(tool)).join('\n'),
  );
}

async function remove(context: Context, name: string): Promise<void> {
  const { removeServer } = await import('../../../app/mcp/servers.ts');
  await removeServer(context, name);
  await context.output.result('mcp-server-remove', { name }, () => `MCP server ${name} is removed.`);
}

/** Prints the sign-in address, and opens it for a person. */
function openToSignIn(context: Context): OpenBrowser {
  return async (url) => {
    const { io } = context;
    io.talk('The server wants you to sign in, in a browser on this machine:');
    io.talk(`  ${io.paint('stderr', 'underline', safeLine(url))}`);
    io.talk('Only go on if you know the site that opens. Waiting …');
    if (!io.interactive) return;
    const { openBrowser } = await import('../../terminal/open-browser.ts');
    await openBrowser(context, url);
  };
}

/** Asks which tools to allow, unless `named` says it. @param unsafe also offers those that could act past the phone */
export async function chooseTools(
  { io, signal }: Context,
  looked: LookedAtServer,
  named: readonly string[],
  unsafe: boolean,
): Promise<readonly string[]> {
  const fit = looked.tools.filter((tool) => tool.fit !== undefined && (unsafe || tool.danger === undefined));
  if (named.length > 0 || !io.interactive || fit.length === 0) return named;
  io.talk(serverText(looked));
  const byNumber = fit.map(({ name }) => name);
  io.talk('');
  for (const [index, name] of byNumber.entries()) io.talk(`  ${index + 1}  ${safeLine(name)}`);
  const read = (text: string) =>
    text
      .split(/[\s,]+/)
      .filter((word) => word !== '')
      .map((word) => byNumber[Number(word) - 1] ?? word);
  const answer = await askUntil(
    { io, signal },
    'Which may the language model use? (numbers, or Enter for none) ',
    (text) => read(text).every((name) => byNumber.includes(name)),
    'Type their numbers, with blanks or commas between them.',
  );
  return [...new Set(read(answer))];
}

/** Shows what tools say of themselves now. @throws {TradeAgentError} `usage`, `interrupted` for a no */
export async function agreeTo(
  { io, signal }: Context,
  tools: readonly ComparedTool[],
  yes: boolean,
): Promise<void> {
  if (yes) return;
  if (!io.interactive) {
    throw new TradeAgentError('usage', 'nobody is there to read what the tool says of itself now', {
      hint: 'Look at it with "trade-agent mcp servers test", then say --yes.',
    });
  }
  for (const tool of tools) io.talk(toolText(tool));
  if (await saysYes({ io, signal }, 'Is that the tool that you want?')) return;
  throw new TradeAgentError('interrupted', 'nothing was confirmed');
}

/** Has the person type which tools may act past their phone. @throws {TradeAgentError} `usage`, `interrupted` */
export function insistOn({ io, signal }: Pick<Context, 'io' | 'signal'>): Insist {
  return async (server, tools) => {
    if (!io.interactive) {
      throw new TradeAgentError('usage', 'nobody is there to type the confirmation', {
        hint: 'Run it in a terminal: --unsafe wants each tool typed by name.',
      });
    }
    io.talk('Your phone is not asked before a language model calls these tools:');
    for (const tool of tools) io.talk(toolText(tool));
    for (const { name } of tools) {
      const typed = await io.prompt(`Type "${server} ${safeLine(name)}" to allow it: `, signal);
      if (typed.trim() !== `${server} ${safeLine(name)}`)
        throw new TradeAgentError('interrupted', 'nothing was allowed');
    }
  };
}
