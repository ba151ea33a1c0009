import { TradeAgentError } from '../../../errors/errors.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { placesOf } from './places.ts';

/** `migrate`, below the command of a gateway or server. @param running what may go on meanwhile */
export function addMigrate(
  parent: CliCommand,
  what: 'gateway' | 'server',
  running: string,
  migrate: (
    context: Context,
    places: ReturnType<typeof placesOf>,
    address: ReturnType<typeof addressPlace>,
  ) => Promise<{ from: number; to: number }>,
): void {
  parent
    .command('migrate')
    .description(
      `makes the ${what}'s tables in a PostgreSQL database, or brings them up to date, by the login that owns them; also while ${running} run`,
    )
    .option('--url-file <file>', `holds the owner's address: a path, or a name in the ${what}'s folder`)
    .option('--url-env <name>', 'the environment variable that holds it')
    .examples([
      `trade-agent ${what} migrate --url-file owner-url`,
      `before the first ${what}, and after each update`,
    ])
    .runs(async (context, flags: AddressFlags, command: CliCommand) => {
      const { from, to } = await migrate(context, placesOf(command, what), addressPlace(flags));
      await context.output.result(`${what}-migrate`, { from, to }, () =>
        from === to
          ? `The tables are of version ${to} already.`
          : `The tables are of version ${to} now; they were of ${from}.`,
      );
    });
}

interface AddressFlags {
  readonly urlFile?: string;
  readonly urlEnv?: string;
}

function addressPlace({ urlFile, urlEnv }: AddressFlags) {
  if (urlFile !== undefined && urlEnv === undefined) return { url_file: urlFile };
  if (urlEnv !== undefined && urlFile === undefined) return { url_env: urlEnv };
  throw new TradeAgentError('usage', 'say where the address is: --url-file or --url-env, one of them', {
    hint: 'It is no argument itself, since it may hold a password and everybody here can read those.',
  });
}
