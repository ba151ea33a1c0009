import type { Command } from 'commander';
import type { GatewayPlaces } from '../../../app/gateway/gateway-key.ts';
import { TradeAgentError } from '../../../trading/errors.ts';
import { runCommand } from '../../cli.ts';
import { examples, exitCodes } from '../../options/help.ts';
import type { Cli } from '../../surroundings.ts';

interface MigrateOptions {
  readonly urlFile?: string;
  readonly urlEnv?: string;
}

export function addGatewayMigrate(
  gateway: Command,
  cli: Cli,
  placesOf: (options: { readonly home?: string; readonly config?: string }) => GatewayPlaces,
): void {
  gateway
    .command('migrate')
    .description(
      "makes the gateway's tables in a PostgreSQL database, or brings them up to date, by the login that owns them; also while gateways run",
    )
    .option('--url-file <file>', "holds the owner's address: a path, or a name in the gateway's folder")
    .option('--url-env <name>', 'the environment variable that holds it')
    .addHelpText(
      'after',
      examples([
        [
          'trade-agent gateway migrate --url-file owner-url',
          'before the first gateway, and after each update',
        ],
      ]) + exitCodes([]),
    )
    .action(({ urlFile, urlEnv }: MigrateOptions, command: Command) =>
      runCommand(cli, command, async (context) => {
        const place = placeOf(urlFile, urlEnv);
        const { migrateDatabase } = await import('../../../app/gateway/migrate-database.ts');
        const { from, to } = await migrateDatabase(context, placesOf(command.optsWithGlobals()), place);
        await context.output.result('gateway-migrate', { from, to }, () =>
          from === to
            ? `The tables are of version ${to} already.`
            : `The tables are of version ${to} now; they were of ${from}.`,
        );
      }),
    );
}

/** @throws {TradeAgentError} `usage` */
function placeOf(urlFile: string | undefined, urlEnv: string | undefined) {
  if (urlFile !== undefined && urlEnv === undefined) return { url_file: urlFile };
  if (urlEnv !== undefined && urlFile === undefined) return { url_env: urlEnv };
  throw new TradeAgentError('usage', 'say where the address is: --url-file or --url-env, one of them', {
    hint: 'It is no argument itself, since it may hold a password and everybody here can read those.',
  });
}
