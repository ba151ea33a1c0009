import { once } from 'node:events';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { resolveHome } from '../../auth/home.ts';
import { Faults, faults } from '../../sandbox/faults.ts';
import { TradeAgentError } from '../../trading/errors.ts';
import type { Cli } from '../cli.ts';
import { parseDuration } from '../duration.ts';
import { examples, exitCodes } from '../help.ts';

interface SandboxOptions {
  readonly home?: string;
  readonly port?: number;
  readonly readyFile?: string;
  readonly fault: readonly string[];
  readonly marketHours: 'always' | 'exchange';
  readonly idleExit?: number;
}

export function addSandboxCommand(program: Command, cli: Cli): void {
  program
    .command('sandbox')
    .description('run a simulated identity provider, phone, gateway and broker on this machine')
    .option('--home <folder>', "the sandbox's own folder (default: one beside the agent's)")
    .option(
      '--port <number>',
      'first of three ports; 0 for free ones (default: those of the last start)',
      parsePort,
    )
    .option('--ready-file <file>', 'write addresses and process id there once it serves')
    .option(
      '--fault <name[:count]>',
      'get something wrong, to see what happens; may be repeated',
      collect,
      [],
    )
    .option('--market-hours <which>', 'always, or exchange for real trading hours', parseHours, 'always')
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
    .action(async (options: SandboxOptions) => {
      await runSandbox(cli, options);
    });
}

/** Serves until interrupted, or until idle for as long as was asked. */
async function runSandbox(cli: Cli, options: SandboxOptions): Promise<void> {
  const { startSandbox } = await import('../../sandbox/sandbox.ts');
  const sandbox = await startSandbox({
    home: resolve(options.home ?? resolveHome(cli.env).sandbox),
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.readyFile === undefined ? {} : { readyFile: resolve(options.readyFile) }),
    faults: Faults.parse(options.fault),
    marketHours: options.marketHours,
    clock: cli.clock,
  });
  const { ready, seed } = sandbox;
  cli.io.talk('The sandbox is up. Everything in it is simulated; it listens on this machine only.');
  cli.io.print(`Phone              ${ready.phone}`);
  cli.io.print(`Identity provider  ${ready.issuer}`);
  cli.io.print(`Gateway            ${ready.gateway}`);
  cli.io.print(`Paper broker       ${ready.broker}`);
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

  const { signal } = cli.interruption;
  try {
    await Promise.race([
      signal.aborted ? undefined : once(signal, 'abort'),
      ...(options.idleExit === undefined ? [] : [idle(cli, () => sandbox.lastRequestAt(), options.idleExit)]),
    ]);
  } finally {
    await sandbox.close();
  }
}

/** Resolves once `ms` milliseconds have passed since the last request. */
async function idle(cli: Cli, lastRequestAt: () => number, ms: number): Promise<void> {
  for (;;) {
    const left = lastRequestAt() + ms - cli.clock.now();
    if (left <= 0) return;
    await cli.clock.sleep(left, cli.interruption.signal);
  }
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65533) {
    throw new InvalidArgumentError('A port is a whole number from 0 to 65533.');
  }
  return port;
}

function parseHours(text: string): 'always' | 'exchange' {
  if (text === 'always' || text === 'exchange') return text;
  throw new TradeAgentError('usage', `there are no market hours "${text}"`, {
    hint: 'Choose always or exchange.',
  });
}

function collect(text: string, previous: readonly string[]): string[] {
  return [...previous, text];
}
