import { TradeAgentError } from '../../../errors/errors.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { serverPaths } from './places.ts';

/** Adds the `migrate` command. @param running plural noun for processes that can keep running during the migration */
export function addMigrateCommand(
  parent: CliCommand,
  what: 'gateway' | 'server',
  running: string,
  migrate: (
    context: Context,
    places: ReturnType<typeof serverPaths>,
    address: ReturnType<typeof parseAddressSource>,
  ) => Promise<{ from: number; to: number }>,
): void {
  parent
    .command('migrate')
    .description(
      `create or update the ${what}'s tables in a PostgreSQL database, with the login that owns them; works while ${running} run`,
    )
    .option('--url-file <file>', `file with the owner's database URL: a path, or a name in the ${what}'s folder`)
    .option('--url-env <name>', 'environment variable with the database URL')
    .examples([`trade-agent ${what} migrate --url-file owner-url`, `before the first ${what}, and after each update`])
    .runs(async (context, flags: AddressFlags, command: CliCommand) => {
      const { from, to } = await migrate(context, serverPaths(command, what), parseAddressSource(flags));
      await context.output.result(`${what}-migrate`, { from, to }, () =>
        from === to ? `The tables already have version ${to}.` : `Migrated the tables from version ${from} to ${to}.`,
      );
    });
}

interface AddressFlags {
  readonly urlFile?: string;
  readonly urlEnv?: string;
}

function parseAddressSource({ urlFile, urlEnv }: AddressFlags) {
  if (urlFile !== undefined && urlEnv === undefined) return { url_file: urlFile };
  if (urlEnv !== undefined && urlFile === undefined) return { url_env: urlEnv };
  throw new TradeAgentError('usage', 'the database URL is missing: pass --url-file or --url-env', {
    hint: 'The URL itself is not accepted as an argument, because it may contain a password that other users could see.',
  });
}
