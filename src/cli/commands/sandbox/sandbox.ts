import { resolve } from 'node:path';
import { exits } from '../../../app/exit-codes.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { Faults, faults } from '../../../home/identity-provider/faults.ts';
import { resolveHome } from '../../../machine/directories.ts';
import type { SandboxReady } from '../../../sandbox/ready-file.ts';
import { defined } from '../../../values/defined.ts';
import type { Cli } from '../../context/cli.ts';
import type { CliCommand, ServerParts } from '../../context/cli-command.ts';
import type { Output } from '../../context/output.ts';
import { choiceOption, dateOption, portUpTo } from '../../options/choice.ts';
import { parseDuration } from '../../options/duration.ts';
import type { Io } from '../../terminal/io.ts';

interface SandboxOptions {
  readonly home?: string;
  readonly port?: number;
  readonly readyFile?: string;
  readonly fault: readonly string[];
  readonly marketHours: 'always' | 'exchange';
  readonly marketData?: string;
  readonly marketStart?: string;
  readonly idleExit?: number;
  readonly partialFills: boolean;
  readonly secondAccounts?: boolean;
  readonly company?: boolean;
}

export function addSandboxCommand(program: CliCommand): void {
  program
    .command('sandbox')
    .description('run a simulated identity provider, phone, gateway and broker on this machine')
    .option('--home <folder>', "the sandbox's own folder (default: one beside the agent's)")
    .option(
      '--port <number>',
      'first of two ports, or three with a company; 0 for free ones (default: those of the last start)',
      portUpTo(65_533),
    )
    .option('--ready-file <file>', 'write addresses and process id there once it serves')
    .option(
      '--fault <name[:count]>',
      'get something wrong, to see what happens; may be repeated',
      collect,
      [],
    )
    .addOption(
      choiceOption('--market-hours <which>', 'open around the clock, or as the exchange is', [
        'always',
        'exchange',
      ]).default('always'),
    )
    .option('--market-data <folder>', "play real days again, from a file a symbol; on the exchange's hours")
    .option(
      '--market-start <date>',
      'the day these begin on (default: where they were, else the first)',
      dateOption('--market-start'),
    )
    .option('--second-accounts', 'each person has a second account, by the name "second"')
    .option(
      '--company',
      'its people work at a company, whose word lets them in (login --company); from then on',
    )
    .option('--no-partial-fills', 'fill every order whole, at once (otherwise about one in ten in two parts)')
    .option('--idle-exit <duration>', 'end after nobody used it for that long', parseDuration)
    .examples(
      ['trade-agent sandbox', 'serve until Ctrl-C'],
      [
        'trade-agent sandbox --port 0 --ready-file ready.json',
        'free ports; then TRADE_AGENT_SANDBOX=ready.json',
      ],
      ['trade-agent sandbox --fault lost_token_response:1', 'lose one token response'],
      [
        'trade-agent sandbox --home crash --market-data days --market-start 2020-02-19',
        'play days from their files again',
      ],
    )
    .helpSection('Faults', faults)
    .exits(exits.busy)
    .serves((parts, output, options: SandboxOptions) => serve(program.cli, parts, output, options));
}

async function serve(cli: Cli, parts: ServerParts, output: Output, options: SandboxOptions): Promise<void> {
  const { serveSandbox } = await import('../../../app/sandbox/serve-sandbox.ts');
  const { home = resolveHome(cli.env).sandbox, port, readyFile, idleExit, marketData, marketStart } = options;
  if (marketStart !== undefined && marketData === undefined) {
    throw new TradeAgentError('usage', '--market-start needs --market-data');
  }
  await serveSandbox(parts, {
    home: resolve(home),
    ...defined({ port }),
    ...(readyFile === undefined ? {} : { readyFile: resolve(readyFile) }),
    faults: Faults.parse(options.fault),
    partialFills: options.partialFills,
    secondAccounts: options.secondAccounts ?? false,
    ...defined({ company: options.company }),
    marketHours: options.marketHours,
    ...(marketData === undefined
      ? {}
      : {
          marketData: {
            folder: resolve(marketData),
            ...defined({ start: marketStart }),
          },
        }),
    ...defined({ idleExitMs: idleExit }),
    ready: (ready) => printReady(cli.io, output, ready),
  });
}

async function printReady(
  io: Io,
  output: Output,
  { issuer, gateway, broker, phone, company, home, pid }: SandboxReady,
): Promise<void> {
  io.talk('The sandbox is up. Everything in it is simulated; it listens on this machine only.');
  await output.result(
    'sandbox',
    { issuer, gateway, broker, phone, company: company ?? null, home, pid },
    () =>
      [
        `Phone              ${phone}`,
        `Identity provider  ${issuer}`,
        `Gateway            ${gateway}`,
        `Paper broker       ${broker}`,
        ...(company === undefined ? [] : [`Company            ${company.issuer}`]),
      ].join('\n'),
  );
  io.talk('Its people are alice and bob. Set up a phone of theirs: trade-agent phone link --user alice');
  if (company !== undefined) {
    io.talk(`Both work at a company. Sign in by it: trade-agent login --company ${company.issuer}`);
  }
  io.talk('Ctrl-C ends it; its state is kept.');
}

function collect(text: string, previous: readonly string[]): string[] {
  return [...previous, text];
}
