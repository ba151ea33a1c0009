import { resolve } from 'node:path';
import { exitCodes } from '../../../app/exit-codes.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { ActiveFaults, faultDescriptions } from '../../../home/identity-provider/faults.ts';
import { resolveUserDirs } from '../../../machine/directories.ts';
import type { SandboxReadyInfo } from '../../../sandbox/ready-file.ts';
import { defined } from '../../../values/defined.ts';
import type { Cli } from '../../context/cli.ts';
import type { CliCommand, ServingContext } from '../../context/cli-command.ts';
import type { Output } from '../../context/output.ts';
import { createChoiceOption, createDateParser, createPortParser } from '../../options/choice.ts';
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
    .option('--home <folder>', "the sandbox's folder (default: next to the agent's)")
    .option(
      '--port <number>',
      'first of two ports (three with --company); 0 picks free ones (default: same as last time)',
      createPortParser(65_533),
    )
    .option('--ready-file <file>', 'write addresses and process ID to this file once the sandbox is ready')
    .option('--fault <name[:count]>', 'inject a fault; repeatable', collect, [])
    .addOption(
      createChoiceOption(
        '--market-hours <which>',
        'when the market is open: around the clock, or during exchange hours',
        ['always', 'exchange'],
      ).default('always'),
    )
    .option(
      '--market-data <folder>',
      'replay real market days from this folder (one file per symbol), during exchange hours',
    )
    .option(
      '--market-start <date>',
      'first day of the replay (default: continue, or the first day)',
      createDateParser('--market-start'),
    )
    .option('--second-accounts', 'give each user a second account named "second"')
    .option('--company', 'also let the users sign in with a company (login --company); later starts keep this setting')
    .option('--no-partial-fills', 'fill all orders at once (otherwise one in ten is filled in two parts)')
    .option('--idle-exit <duration>', 'exit after this much idle time', parseDuration)
    .examples(
      ['trade-agent sandbox', 'runs until Ctrl-C'],
      ['trade-agent sandbox --port 0 --ready-file ready.json', 'free ports; then TRADE_AGENT_SANDBOX=ready.json'],
      ['trade-agent sandbox --fault lost_token_response:1', 'lose one token response'],
      ['trade-agent sandbox --home crash --market-data days --market-start 2020-02-19', 'replays days from files'],
    )
    .helpSection('Faults', faultDescriptions)
    .exits(exitCodes.busy)
    .serves((parts, output, options: SandboxOptions) => serve(program.cli, parts, output, options));
}

async function serve(cli: Cli, parts: ServingContext, output: Output, options: SandboxOptions): Promise<void> {
  const { serveSandbox } = await import('../../../app/sandbox/serve-sandbox.ts');
  const { home = resolveUserDirs(cli.env).sandbox, port, readyFile, idleExit, marketData, marketStart } = options;
  if (marketStart !== undefined && marketData === undefined) {
    throw new TradeAgentError('usage', '--market-start needs --market-data');
  }
  await serveSandbox(parts, {
    home: resolve(home),
    ...defined({ port }),
    ...(readyFile === undefined ? {} : { readyFile: resolve(readyFile) }),
    faults: ActiveFaults.parse(options.fault),
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
  { issuer, gateway, broker, phone, company, home, pid }: SandboxReadyInfo,
): Promise<void> {
  io.talk('The sandbox is running. Everything in it is simulated, and it only listens on this machine.');
  await output.result('sandbox', { issuer, gateway, broker, phone, company: company ?? null, home, pid }, () =>
    [
      `Phone              ${phone}`,
      `Identity provider  ${issuer}`,
      `Gateway            ${gateway}`,
      `Paper broker       ${broker}`,
      ...(company === undefined ? [] : [`Company            ${company.issuer}`]),
    ].join('\n'),
  );
  io.talk('Its users are alice and bob. Set up a phone: trade-agent phone link --user alice');
  if (company !== undefined) {
    io.talk(`Both can sign in with the company: trade-agent login --company ${company.issuer}`);
  }
  io.talk('Press Ctrl-C to stop. The state is kept.');
}

function collect(text: string, previous: readonly string[]): string[] {
  return [...previous, text];
}
