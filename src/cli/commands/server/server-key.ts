import type { Command } from 'commander';
import { runCommand } from '../../cli.ts';
import { choiceOption } from '../../options/choice.ts';
import { examples, exitCodes } from '../../options/help.ts';
import { serverPlacesOf } from '../../options/server-places.ts';
import type { Cli } from '../../surroundings.ts';

interface KeyOptions {
  readonly type: 'EC' | 'RSA';
  readonly show?: boolean;
}

export function addServerKey(server: Command, cli: Cli): void {
  server
    .command('key')
    .description(
      "makes the key of the server's client at the identity provider (private_key_jwt), by which it exchanges people's tokens, and prints its public half",
    )
    .addOption(
      choiceOption('--type <type>', 'EC for ES256; RSA (RS256) for providers that take no other', [
        'EC',
        'RSA',
      ]).default('EC'),
    )
    .option('--show', 'only print the key in use')
    .addHelpText(
      'after',
      examples([['trade-agent server key --show', 'what is registered at the identity provider']]) +
        exitCodes([]),
    )
    .action(({ type, show = false }: KeyOptions, command: Command) =>
      runCommand(cli, command, async ({ output }) => {
        const { serverKey } = await import('../../../app/server/server-key.ts');
        const places = serverPlacesOf(cli, command.optsWithGlobals());
        const { status, file, jwk, pem } = await serverKey(places, { show, kty: type });
        await output.result('server-key', { status, file, jwk, pem }, () =>
          [
            `The private key is in ${file}. Register this at the identity provider:`,
            JSON.stringify(jwk),
            pem.trimEnd(),
          ].join('\n\n'),
        );
      }),
    );
}
