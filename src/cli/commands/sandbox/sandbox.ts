import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Faults, faults } from '../../../home/faults.ts';
import { resolveHome } from '../../../machine/home.ts';
import type { Cli, GlobalOptions } from '../../cli.ts';
import { choiceOption } from '../../options/choice.ts';
import { parseDuration } from '../../options/duration.ts';
import { examples, exitCodes } from '../../options/help.ts';
import { portUpTo } from '../../options/port.ts';
import { createOutput, type Output } from '../../output.ts';
import { servedUntilStopped } from '../../served-until-stopped.ts';

interface SandboxOptions {
  readonly home?: string;
  readonly port?: number;
  readonly readyFile?: string;
  readonly fault: readonly string[];
  readonly marketHours: 'always' | 'exchange';
  readonly idleExit?: number;
  readonly partialFills: boolean;
}

export function addSandboxCommand(program: Command, cli: Cli): void {
  program
    .command('sandbox')
    .description('run a simulated identity provider, phone, gateway and broker on this machine')
    .option('--home <folder>', "the sandbox's own folder (default: one beside the agent's)")
    .option(
      '--port <number>',
      'first of three ports; 0 for free ones (default: those of the last start)',
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
    .option('--no-partial-fills', 'fill every order whole, at once (otherwise about one in ten in two parts)')
    .option('--idle-exit <duration>', 'end after nobody used it for that long', parseDuration)
    .addHelpText(
      'after',
      examples([
        ['trade-agent sandbox', 'serve until Ctrl-C'],
        [
          'trade-agent sandbox --port 0 --ready-file ready.json',
          'free ports; then TRADE_AGENT_SANDBOX=ready.json',
        ],
        ['trade-agent sandbox --fault lost_token_response:1', 'lose one token response'],
      ]) +
        `\nFaults:\n${Object.entries(faults)
          .map(([name, what]) => `  ${name.padEnd(28)} ${what}`)
          .join('\n')}\n` +
        exitCodes([12]),
    )
    .action(async (options: SandboxOptions, command: Command) => {
      const { timeout, output } = command.optsWithGlobals<GlobalOptions>();
      if (timeout !== undefined) cli.interruption.limit(timeout);
      await runSandbox(cli, options, createOutput(cli.io, output));
    });
}

/** Serves until interrupted, or until idle for as long as was asked. */
async function runSandbox(cli: Cli, options: SandboxOptions, output: Output): Promise<void> {
  // SQLite makes its files as the umask lets it.
  process.umask(0o077);
  const { startSandbox } = await import('../../../sandbox/sandbox.ts');
  const sandbox = await startSandbox({
    home: resolve(options.home ?? resolveHome(cli.env).sandbox),
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.readyFile === undefined ? {} : { readyFile: resolve(options.readyFile) }),
    faults: Faults.parse(options.fault),
    partialFills: options.partialFills,
    marketHours: options.marketHours,
    clock: cli.clock,
  });
  const { ready, seed } = sandbox;
  cli.io.talk('The sandbox is up. Everything in it is simulated; it listens on this machine only.');
  const { issuer, gateway, broker, phone, home, pid } = ready;
  await output.result('sandbox', { issuer, gateway, broker, phone, home, pid }, () =>
    [
      `Phone              ${phone}`,
      `Identity provider  ${issuer}`,
      `Gateway            ${gateway}`,
      `Paper broker       ${broker}`,
    ].join('\n'),
  );
  if (cli.io.interactive) {
    // For the person at the terminal only: redirected output ends up in logs.
    cli.io.talk(
      `Sign in on the phone as ${seed.users.map((user) => `${user.username} (${user.password})`).join(' or ')}.`,
    );
  } else {
    cli.io.talk(
      `Sign in on the phone with a password from ${ready.home}/seed.json, or by "trade-agent phone link".`,
    );
  }
  cli.io.talk('Ctrl-C ends it; its state is kept.');

  await servedUntilStopped(
    cli,
    sandbox.close,
    options.idleExit === undefined ? undefined : idle(cli, () => sandbox.lastRequestAt(), options.idleExit),
  );
}

/** Resolves once `ms` milliseconds have passed since the last request. */
async function idle(cli: Cli, lastRequestAt: () => number, ms: number): Promise<void> {
  for (;;) {
    const left = lastRequestAt() + ms - cli.clock.now();
    if (left <= 0) return;
    await cli.clock.sleep(left, cli.interruption.signal);
  }
}

function collect(text: string, previous: readonly string[]): string[] {
  return [...previous, text];
}
