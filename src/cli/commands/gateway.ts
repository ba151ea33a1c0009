import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { gatewayHome } from '../../auth/home.ts';
import { choiceOption } from '../choice.ts';
import { type Cli, type GlobalOptions, runCommand } from '../cli.ts';
import { examples, exitCodes } from '../help.ts';
import { createOutput } from '../output.ts';
import { portUpTo } from '../port.ts';

interface GatewayCommandOptions {
  readonly home?: string;
  readonly config?: string;
  readonly host: string;
  readonly port: number;
  readonly readyFile?: string;
}

export function addGatewayCommand(program: Command, cli: Cli): void {
  const gateway = program
    .command('gateway')
    .description(
      'serve the order gateway of your own identity provider and broker (the sandbox brings one along)',
    )
    .option(
      '--home <folder>',
      "the gateway's own folder: its key and its journal (default: one beside the agent's)",
    )
    .option('--config <file>', 'what it serves (default: gateway.yaml in that folder)')
    .option('--host <address>', 'the address of this machine to listen at', '127.0.0.1')
    .option('--port <number>', 'the port; 0 for a free one', portUpTo(65_535), 7070)
    .option('--ready-file <file>', 'write address and process id there once it serves')
    .addHelpText(
      'after',
      examples([
        ['trade-agent gateway key', "make the key of the gateway's client, and print what to register"],
        ['trade-agent gateway audit verify', 'find out whether its record is whole'],
        ['trade-agent gateway', 'serve at 127.0.0.1:7070, for the TLS proxy in front of it'],
      ]) + exitCodes([12]),
    )
    .action(async (options: GatewayCommandOptions, command: Command) => {
      const { timeout, output } = command.optsWithGlobals<GlobalOptions>();
      if (timeout !== undefined) cli.interruption.limit(timeout);
      const { serveGateway } = await import('../gateway/serve-gateway.ts');
      const home = homeOf(cli, options);
      await serveGateway(
        cli,
        {
          home,
          config: resolve(options.config ?? join(home, 'gateway.yaml')),
          host: options.host,
          port: options.port,
          ...(options.readyFile === undefined ? {} : { readyFile: resolve(options.readyFile) }),
        },
        createOutput(cli.io, output),
      );
    });

  gateway
    .command('key')
    .description(
      "makes the key of the gateway's client at the identity provider (private_key_jwt), and prints its public half",
    )
    .addOption(
      choiceOption('--type <type>', 'EC for ES256; RSA (RS256) for providers that take no other, as Auth0', [
        'EC',
        'RSA',
      ]).default('EC'),
    )
    .addHelpText(
      'after',
      examples([['trade-agent gateway key --type RSA', 'for Auth0, which takes the PEM']]) + exitCodes([]),
    )
    .action(({ type }: { type: 'EC' | 'RSA' }, command: Command) =>
      runCommand(cli, command, async ({ output }) => {
        const { keyFile, makeKey } = await import('../gateway/gateway-home.ts');
        const home = homeOf(cli, command.optsWithGlobals<GatewayCommandOptions>());
        const { jwk, pem } = await makeKey(home, type);
        await output.result(
          'gateway-key',
          { file: keyFile(home), jwk, pem },
          () =>
            `The private key is in ${keyFile(home)}. Register this at the identity provider:\n\n${JSON.stringify(jwk)}\n\n${pem}`,
        );
      }),
    );

  gateway
    .command('audit')
    .description("the gateway's record: what was proposed, asked, decided, carried out")
    .addHelpText(
      'after',
      examples([['trade-agent gateway audit verify', 'find out whether it is whole']]) + exitCodes([]),
    )
    .command('verify')
    .description('finds the first line of the record that was changed, removed or added')
    .addHelpText(
      'after',
      examples([['trade-agent gateway audit verify --home /srv/gateway', 'also while the gateway runs']]) +
        exitCodes([]),
    )
    .action((_: object, command: Command) =>
      runCommand(cli, command, async ({ output }) => {
        const { auditFile, verifyRecord } = await import('../gateway/gateway-record.ts');
        const home = homeOf(cli, command.optsWithGlobals<GatewayCommandOptions>());
        const verdict = await verifyRecord(home);
        const file = auditFile(home);
        await output.result('gateway-audit', { file, ...verdict }, () =>
          verdict.ok
            ? `${file} is whole: ${verdict.lines} lines`
            : `${file}, line ${verdict.line}: ${wrongLine[verdict.what]} (entry ${verdict.seq})`,
        );
        return verdict.ok ? 0 : 1;
      }),
    );

  gateway
    .command('halt')
    .description("ends a halt of somebody's trading at the gateway's own machine, where their phone can't")
    .requiredOption('--lift', 'end it; "trade-agent halt" begins one')
    .requiredOption('--user <sub>', 'whose, as the identity provider names them')
    .addHelpText(
      'after',
      examples([['trade-agent gateway halt --lift --user alice', 'also while the gateway runs']]) +
        exitCodes([]),
    )
    .action(({ user }: { user: string }, command: Command) =>
      runCommand(cli, command, async ({ output }) => {
        const { liftHalt } = await import('../gateway/gateway-record.ts');
        const home = homeOf(cli, command.optsWithGlobals<GatewayCommandOptions>());
        const { haltedAt, liftedAt } = await liftHalt(home, user, cli.clock);
        await output.result(
          'gateway-halt',
          { sub: user, halted_at: haltedAt, lifted_at: liftedAt },
          () => `Trading of ${user} was halted since ${haltedAt}; it goes on.`,
        );
      }),
    );
}

/** What `gateway audit verify` says of a line. */
const wrongLine = {
  changed: 'changed, or it does not follow from the line before',
  removed: 'one or more lines before this were removed',
  added: 'added, or in another place than it was written',
  unreadable: 'unreadable',
} as const;

function homeOf(cli: Cli, { home }: Pick<GatewayCommandOptions, 'home'>): string {
  return resolve(home ?? gatewayHome(cli.env));
}
