import { type Command, CommanderError, Help, type Option } from 'commander';
import { exitCodes } from '../app/exit-codes.ts';
import { version } from '../app/version.ts';
import { themeNames } from '../config/theme-name.ts';
import { isTradeAgentError, TradeAgentError } from '../errors/errors.ts';
import { systemClock } from '../machine/clock.ts';
import { findClosestMatch } from '../text/closest-match.ts';
import { toSentence } from '../text/first-letter.ts';
import type { Cli } from './context/cli.ts';
import { CliCommand } from './context/cli-command.ts';
import { outputFormats, parseRequestedFormat, reportError } from './context/output.ts';
import { createChoiceOption } from './options/choice.ts';
import { parseDuration } from './options/duration.ts';
import { flagVariableName, readFlagsFromEnvironment } from './options/flag-environment.ts';
import { allExitCodeText, commandSummary, exampleText, HELP_COLUMNS } from './options/help.ts';
import { createInterruption } from './terminal/interruption.ts';
import { createIo } from './terminal/io.ts';
import { standardInput } from './terminal/standard-input.ts';

type AddCommand = (program: CliCommand) => void;

/** All commands, in the order of `--help`. Each command's module is loaded only when needed. */
const commandLoaders: ReadonlyMap<string, () => Promise<AddCommand>> = new Map([
  ['chat', async () => (await import('./commands/chat/chat.ts')).addChatCommand],
  ['run', async () => (await import('./commands/run/run.ts')).addRunCommand],
  ['resume', async () => (await import('./commands/resume/resume.ts')).addResumeCommand],
  ['threads', async () => (await import('./commands/threads/threads.ts')).addThreadsCommand],
  ['approvals', async () => (await import('./commands/approvals/approvals.ts')).addApprovalsCommand],
  ['mandates', async () => (await import('./commands/mandates/mandates.ts')).addMandatesCommand],
  ['receipts', async () => (await import('./commands/receipts/receipts.ts')).addReceiptsCommand],
  ['halt', async () => (await import('./commands/halt/halt.ts')).addHaltCommand],
  ['access', async () => (await import('./commands/access/access.ts')).addAccessCommand],
  ['login', async () => (await import('./commands/login/login.ts')).addLoginCommand],
  ['logout', async () => (await import('./commands/logout/logout.ts')).addLogoutCommand],
  ['whoami', async () => (await import('./commands/whoami/whoami.ts')).addWhoamiCommand],
  ['connections', async () => (await import('./commands/connections/connections.ts')).addConnectionsCommand],
  ['profile', async () => (await import('./commands/profile/profile.ts')).addProfileCommand],
  ['models', async () => (await import('./commands/models/models.ts')).addModelsCommand],
  ['config', async () => (await import('./commands/config/config.ts')).addConfigCommand],
  ['accounts', async () => (await import('./commands/accounts/accounts.ts')).addAccountsCommand],
  ['portfolio', async () => (await import('./commands/portfolio/portfolio.ts')).addPortfolioCommand],
  ['web', async () => (await import('./commands/web/web.ts')).addWebCommand],
  ['watch', async () => (await import('./commands/watch/watch.ts')).addWatchCommand],
  ['chart', async () => (await import('./commands/chart/chart.ts')).addChartCommand],
  ['quote', async () => (await import('./commands/quote/quote.ts')).addQuoteCommand],
  ['news', async () => (await import('./commands/news/news.ts')).addNewsCommand],
  ['watchlist', async () => (await import('./commands/watchlist/watchlist.ts')).addWatchlistCommand],
  ['clock', async () => (await import('./commands/clock/clock.ts')).addClockCommand],
  ['calendar', async () => (await import('./commands/calendar/calendar.ts')).addCalendarCommand],
  ['activities', async () => (await import('./commands/activities/activities.ts')).addActivitiesCommand],
  ['performance', async () => (await import('./commands/performance/performance.ts')).addPerformanceCommand],
  ['gains', async () => (await import('./commands/gains/gains.ts')).addGainsCommand],
  ['lots', async () => (await import('./commands/lots/lots.ts')).addLotsCommand],
  ['import', async () => (await import('./commands/import/import.ts')).addImportCommand],
  ['orders', async () => (await import('./commands/orders/orders.ts')).addOrdersCommand],
  ['policy', async () => (await import('./commands/policy/policy.ts')).addPolicyCommand],
  ['check', async () => (await import('./commands/check/check.ts')).addCheckCommand],
  ['alert', async () => (await import('./commands/alert/alert.ts')).addAlertCommand],
  ['schedule', async () => (await import('./commands/schedule/schedule.ts')).addScheduleCommand],
  ['notices', async () => (await import('./commands/notices/notices.ts')).addNoticesCommand],
  ['phone', async () => (await import('./commands/phone/phone.ts')).addPhoneCommand],
  ['sandbox', async () => (await import('./commands/sandbox/sandbox.ts')).addSandboxCommand],
  ['home', async () => (await import('./commands/home/home.ts')).addHomeCommand],
  ['mcp', async () => (await import('./commands/mcp/mcp.ts')).addMcpCommand],
  ['gateway', async () => (await import('./commands/gateway/gateway.ts')).addGatewayCommand],
  ['server', async () => (await import('./commands/server/server.ts')).addServerCommand],
  ['worker', async () => (await import('./commands/worker/worker.ts')).addWorkerCommand],
  ['demo', async () => (await import('./commands/demo/demo.ts')).addDemoCommand],
  ['doctor', async () => (await import('./commands/doctor/doctor.ts')).addDoctorCommand],
  ['__complete', async () => (await import('./commands/completion/completion.ts')).addCompleteCommand],
  ['completion', async () => (await import('./commands/completion/completion.ts')).addCompletionCommand],
]);

const aliases: ReadonlyMap<string, string> = new Map([['order', 'orders']]);

/**
 * Creates the program, whose commands load their code only when they run.
 * @param only the commands to set up, because setting up all commands is slow
 */
export async function createProgram(cli: Cli, only?: readonly string[]): Promise<Command> {
  const variables = new Map<Option, string | undefined>();
  const program = new CliCommand('trade-agent', cli)
    .description(
      'A terminal agent for your brokerage account. It cannot place an order that you did not approve on your phone. Without a command, it opens the chat.',
    )
    .version(version(), '-V, --version', 'print the version')
    .option('--profile <name>', 'the profile to use (default: the configured one)')
    .option('--server <url>', 'URL of a trade-agent server to run the agent on, instead of a profile')
    .option('--account <account>', 'account number or name, or all (default: your default account)')
    .addOption(createChoiceOption('--output <format>', 'the output format', outputFormats).default('text'))
    .option('--jq <expression>', 'filter the JSON output with jq; implies --output json')
    .option(
      '--timeout <duration>',
      'stop after this time, such as 90s, 5m or 1h; pending approvals are kept',
      parseDuration,
    )
    .option('--verbose', 'log progress to stderr (also in the log file)')
    .option('--no-color', 'disable colors (NO_COLOR and FORCE_COLOR work too)')
    .addOption(createChoiceOption('--theme <name>', 'color theme (none with NO_COLOR or in a pipe)', themeNames))
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .configureHelp({
      showGlobalOptions: true,
      commandDescription: (command) => toSentence(command.description()),
      subcommandDescription: commandSummary,
      optionDescription(option) {
        // Commander shows the empty default of a repeatable option, which tells the reader nothing.
        const plain = Help.prototype.optionDescription.call(this, option).replace(' (default: [])', '');
        const variable = variables.get(option);
        return variable === undefined ? plain : `${plain} [${variable}]`;
      },
    })
    .configureOutput({
      getOutHelpWidth: () => Math.min(HELP_COLUMNS, cli.io.width()),
      writeOut: (text) => cli.io.write(text),
      // Commander's error text is not printed, because `exitOverride` makes commander throw the error, which
      // `runCommandLine` reports in the chosen format.
      writeErr: () => undefined,
    })
    .addHelpText(
      'after',
      exampleText([
        ['trade-agent', 'chat (offers the sandbox on first use)'],
        ['trade-agent run "buy 5 AAPL limit 180"', 'propose, wait for approval, place the order'],
        ['trade-agent run "what do I own" --output json', 'for scripts'],
      ]) + allExitCodeText(),
    )
    .hook('preAction', (_program, command) => readFlagsFromEnvironment(command, cli.env))
    .exitOverride();
  const wanted = [...commandLoaders].filter(([name]) => only?.includes(name) ?? true);
  for (const add of await Promise.all(wanted.map(([, load]) => load()))) add(program);
  for (const command of listAllCommands(program)) command.exitOverride();
  for (const command of [program, ...listAllCommands(program)]) {
    for (const option of command.options) variables.set(option, flagVariableName(command, option));
  }
  return program;
}

/** Creates all commands for generating documentation. They can't be run. */
export function createProgramForDocs(): Promise<Command> {
  return createProgram({
    io: createIo({ stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, env: {} }),
    env: {},
    clock: systemClock,
    fetch: loadedFetch,
    interruption: {
      signal: new AbortController().signal,
      interrupt: noop,
      limit: noop,
      readerGone: false,
      outputFailure: undefined,
      dispose: noop,
    },
    exitCode: exitCodes.done,
  });
}

const noop = () => undefined;

/** A `fetch` that loads the HTTP client on the first request, because most commands start faster without it. */
const loadedFetch: typeof fetch = async (input, init) =>
  await (await import('../net/dispatch-fetch.ts')).dispatchFetch(input, init);

export function listAllCommands(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...listAllCommands(child)]);
}

/** Runs a command line and reports any error. @returns the exit code */
export async function runCommandLine(argv: readonly string[], cli: Cli): Promise<number> {
  let program: Command | undefined;
  try {
    program = await createProgram(cli, commandsToLoad(argv, cli.io.stdinIsTty));
    await program.parseAsync(withDefaultCommand(program, argv, cli.io.stdinIsTty), { from: 'user' });
    // Waits for the next turn of the event loop, because Node reports a failed write only then.
    await new Promise(setImmediate);
    const { outputFailure } = cli.interruption;
    if (outputFailure === undefined) return cli.exitCode;
    const lost = reportError(cli.io, 'text', outputFailure);
    return cli.exitCode === exitCodes.done ? lost : cli.exitCode;
  } catch (error) {
    // If stdout can't be written, report the error on stderr.
    const format =
      cli.interruption.outputFailure === undefined ? parseRequestedFormat(argv, cli.env) : ('text' as const);
    if (error instanceof CommanderError && program !== undefined) {
      if (error.exitCode === 0) return exitCodes.done;
      return reportError(cli.io, format, usageError(error, program, argv));
    }
    // If the reader of the output has closed the pipe, as with "| head", the error can't be shown.
    if (cli.interruption.readerGone) return exitCodes.interrupted;
    return reportError(cli.io, format, abortReasonOr(error, cli.interruption.signal));
  }
}

/** Returns the commands to set up for these arguments. Undefined means all commands. */
function commandsToLoad(argv: readonly string[], stdinIsTty: boolean): string[] | undefined {
  const [first = stdinIsTty ? 'chat' : 'run'] = argv;
  if (isSentence(first)) return ['run'];
  const name = aliases.get(first) ?? first;
  if (name === '__complete') {
    const completed = commandsToLoad([argv[argv.indexOf('--') + 1] ?? ''], stdinIsTty);
    return completed === undefined ? undefined : [name, ...completed];
  }
  return commandLoaders.has(name) ? [name] : undefined;
}

/** Returns whether the argument is a request, such as `'buy 5 AAPL'`. Command names contain no spaces. */
const isSentence = (argument: string) => !argument.startsWith('-') && /\S\s+\S/.test(argument);

/**
 * Adds the default command if none is given: `chat`, or `run` if standard input is not a terminal. Commander's own
 * default command would treat a misspelled command as an argument. For `--help` with a misspelled command, the flag is
 * removed, because commander would otherwise print the program's help instead of an error.
 */
function withDefaultCommand(program: Command, argv: readonly string[], stdinIsTty: boolean): string[] {
  const { operands } = program.parseOptions([...argv]);
  const [name, ...more] = operands;
  if (name !== undefined && isSentence(name) && more.length === 0) return ['run', ...argv];
  if (name === 'help' && argv[0] === 'help') return helpArguments(program, operands.slice(1), argv);
  if (name !== undefined && !commandLoaders.has(aliases.get(name) ?? name)) {
    return argv.filter((arg) => arg !== '-h' && arg !== '--help');
  }
  const asksForHelp = argv.some((arg) => ['-h', '--help', '-V', '--version'].includes(arg));
  if (operands.length > 0 || asksForHelp) return [...argv];
  return [stdinIsTty ? 'chat' : 'run', ...argv];
}

/** Converts `help orders list` to `orders list --help`. @throws {TradeAgentError} `usage` for an unknown command */
function helpArguments(program: Command, words: readonly string[], argv: readonly string[]): string[] {
  const { at, word } = firstUnknown(program, words);
  if (word !== undefined) throw unknownCommandError(at, word);
  return words.length === 0 ? [...argv] : [...words, '--help'];
}

/** Creates the error for an unknown command. @param above the command that has no subcommand with this name */
function unknownCommandError(above: Command, word: string): TradeAgentError {
  const names = above.commands
    .flatMap((command) => [command.name(), ...command.aliases()])
    .filter((name) => !name.startsWith('__'));
  const isTop = above.parent === null;
  const path = isTop ? '' : `${above.name()} `;
  const hint = isTop
    ? (commandHint(word, names) ?? 'See "trade-agent --help". To ask the agent: trade-agent run \'…\'.')
    : (commandHint(word, names)?.replace(/^Did you mean (?=[a-z])/, `$&${path}`) ?? `Commands: ${names.join(', ')}.`);
  return new TradeAgentError('usage', `unknown command '${path}${word}'`, { hint });
}

/** Converts commander's error to a {@link TradeAgentError}, with a hint about what to type instead. */
function usageError(error: CommanderError, program: Command, argv: readonly string[]): TradeAgentError {
  const invalid = /^error: (.* is invalid)\. (.+)$/s.exec(error.message);
  if (error.code === 'commander.invalidArgument' && invalid?.[1] !== undefined) {
    return new TradeAgentError('usage', invalid[1], { hint: invalid[2] ?? SEE_HELP });
  }
  const [first = '', ...more] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = more.join(' ').trim();
  const hint = suggestion.replace(/^\(|\)$/g, '') || SEE_HELP;
  const usage = (text: string) => new TradeAgentError('usage', first, { hint: text });
  const unknown = () => firstUnknown(program, program.parseOptions([...argv]).operands);
  switch (error.code) {
    case 'commander.help':
      return new TradeAgentError('usage', 'a command is missing', { hint: 'See "trade-agent --help".' });
    case 'commander.unknownCommand': {
      const { at, word } = unknown();
      return word === undefined ? usage('See "trade-agent --help".') : unknownCommandError(at, word);
    }
    case 'commander.unknownOption':
      return usage(optionHint(/'(.*)'/.exec(first)?.[1] ?? '') ?? hint);
    case 'commander.excessArguments':
      return first.includes("for 'run'")
        ? usage("Put your request in quotes: trade-agent run 'buy 5 AAPL limit 180'")
        : excessWordError(unknown(), usage);
    default:
      return usage(hint);
  }
}

function excessWordError(
  { at, word }: ReturnType<typeof firstUnknown>,
  usage: (hint: string) => TradeAgentError,
): TradeAgentError {
  if (word === undefined) return usage(SEE_HELP);
  // In `orders list open`, the option's name is missing. The option may belong to the default subcommand.
  const value = valueHint(word, [...at.options, ...at.commands.flatMap(({ options }) => options)]);
  // `threads delte` runs the default subcommand `threads list` with an extra argument, so the error must name the
  // misspelled command.
  return value === undefined && at.commands.length > 0 ? unknownCommandError(at, word) : usage(value ?? SEE_HELP);
}

const SEE_HELP = 'Run the command with --help to see how to use it.';

/** Returns the last known command in a command line, and the first unknown word after it. */
function firstUnknown(program: Command, words: readonly string[]): { at: Command; word?: string } {
  let at = program;
  for (const word of words) {
    const next = at.commands.find((command) => command.name() === word || command.aliases().includes(word));
    if (next === undefined) return { at, word };
    at = next;
  }
  return { at };
}

function abortReasonOr(error: unknown, signal: AbortSignal): unknown {
  if (!signal.aborted) return error;
  const aborted =
    error instanceof Error && ['AbortError', 'TimeoutError'].includes(error.name)
      ? true
      : isTradeAgentError(error) && error.code === 'interrupted';
  return aborted ? signal.reason : error;
}

export async function startProgram(argv: readonly string[]): Promise<number> {
  const interruption = createInterruption({
    on: (event, listener) => process.on(event, listener),
    off: (event, listener) => process.off(event, listener),
    exit: (code) => process.exit(code),
    stdout: process.stdout,
    stderr: process.stderr,
  });
  const io = createIo({
    stdin: standardInput(),
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    noColor: argv.includes('--no-color'),
  });
  return runCommandLine(argv, {
    io,
    env: process.env,
    clock: systemClock,
    fetch: loadedFetch,
    interruption,
    exitCode: exitCodes.done,
  });
}

/** Words that people type instead of a command's name, with the command line to suggest. */
const commandSynonyms: Readonly<Record<string, string>> = {
  price: 'quote SYMBOL',
  prices: 'quote SYMBOL',
  quotes: 'quote SYMBOL',
  buy: 'order buy SYMBOL --qty N',
  sell: 'order sell SYMBOL --qty N',
  cancel: 'order cancel ID',
  replace: 'order replace ID --limit PRICE',
  positions: 'portfolio',
  holdings: 'portfolio',
  balance: 'portfolio',
  account: 'portfolio',
  signin: 'login',
  signout: 'logout',
  history: 'threads',
  sessions: 'threads',
  pending: 'approvals',
  approve: 'phone',
  ask: "run 'what do I own'",
  version: '--version',
};

const optionSynonyms: Readonly<Record<string, string>> = {
  '--json': '--output json',
  '--csv': '--output csv',
  '--format': '--output',
  '-o': '--output',
  '-v': '--version (or --verbose)',
  '-q': '--output json',
  '-p': '--profile',
  '--shares': '--qty',
  '--quantity': '--qty',
  '--notional': '--amount',
  '--dollars': '--amount',
  '--price': '--limit',
  '--time-in-force': '--tif',
};

/** Returns a suggestion for an unknown command. Returns undefined if no command is similar. */
function commandHint(word: string, commands: readonly string[]): string | undefined {
  const line = Object.hasOwn(commandSynonyms, word.toLowerCase()) ? commandSynonyms[word.toLowerCase()] : undefined;
  if (line !== undefined) return `Did you mean "trade-agent ${line}"?`;
  const nearest = findClosestMatch(word, commands);
  return nearest === undefined ? undefined : `Did you mean ${nearest}?`;
}

function optionHint(flag: string): string | undefined {
  const [name = ''] = flag.split('=');
  return Object.hasOwn(optionSynonyms, name) ? `Did you mean ${optionSynonyms[name]}?` : undefined;
}

/** If the word is a valid value of an option, suggests that option: `--status open` for `orders list open`. */
function valueHint(
  word: string,
  options: readonly {
    readonly long?: string | undefined;
    readonly argChoices?: readonly string[] | undefined;
  }[],
): string | undefined {
  const option = options.find(({ argChoices }) => argChoices?.includes(word));
  return option === undefined ? undefined : `Did you mean ${option.long} ${word}?`;
}
