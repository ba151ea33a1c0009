import { exitCodes } from '../../../app/exit-codes.ts';
import type { MigrateHomeOptions } from '../../../app/home/migrate-home.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { resolveHomeFolder } from './home-folder-option.ts';

interface MigrateFlags {
  readonly to: string;
  readonly urlEnv?: string;
  readonly urlFile?: string;
  readonly ownerUrlFile?: string;
  readonly tenant: string;
}

export function addHomeMigrateCommand(home: CliCommand): void {
  home
    .command('migrate')
    .description(
      "Move the home's data to a PostgreSQL database, which several processes can share, or back to its folder. Stop the home first. Open proposals, mandates, keys and sign-ins are kept. If it is interrupted, run it again.",
    )
    .requiredOption('--to <database>', 'postgres or sqlite')
    .option('--url-file <file>', "file with the database's URL: a path, or a name in the home's folder")
    .option('--url-env <name>', "environment variable with the database's URL")
    .option(
      '--owner-url-file <file>',
      'file with the URL of the login that owns the tables, if the home uses another login',
    )
    .option('--tenant <name>', 'homes of different tenants share no data', 'default')
    .examples(
      [
        'trade-agent home migrate --to postgres --url-file database-url',
        'creates the tables, and moves the home there',
      ],
      ['trade-agent home migrate --to sqlite', 'moves it back'],
    )
    .exits(exitCodes.busy)
    .runs(async (context, flags: MigrateFlags, command: CliCommand) => {
      const { migrateHome } = await import('../../../app/home/migrate-home.ts');
      const { ownerUrlFile } = flags;
      const { folder, database, tables, rows } = await migrateHome(context, {
        folder: resolveHomeFolder(command),
        to: parseTarget(flags),
        owner: ownerUrlFile === undefined ? undefined : { url_file: ownerUrlFile },
      });
      await context.output.result('home-migrate', { folder, database, tables, rows }, () =>
        [
          database === 'sqlite'
            ? `The home stores its data in ${folder} again.`
            : 'The home stores its data in PostgreSQL. Its SQLite files were renamed to *.moved; delete them when you no longer need them.',
          tables === 0 ? 'The data had been moved before.' : `Moved and compared ${rows} rows of ${tables} tables.`,
          ...(database === 'sqlite'
            ? []
            : ['To run it on more machines, copy its folder there (docs/operate/DEPLOY.md).']),
        ].join('\n'),
      );
    });
}

/** Parses the target database. @throws {TradeAgentError} `usage` */
function parseTarget({ to, urlFile, urlEnv, tenant }: MigrateFlags): MigrateHomeOptions['to'] {
  if (to === 'sqlite') return 'sqlite';
  if (/^postgres(?:ql)?:\/\//.test(to)) {
    throw new TradeAgentError('usage', 'pass the database’s URL with --url-file or --url-env', {
      hint: 'The URL itself is not accepted as an argument, because it may contain a password that other users could see.',
    });
  }
  if (to !== 'postgres') {
    throw new TradeAgentError('usage', `--to must be "postgres" or "sqlite", not "${to}"`, {
      hint: 'Example: trade-agent home migrate --to postgres --url-file database-url',
    });
  }
  if (urlFile !== undefined && urlEnv === undefined) return { url_file: urlFile, tenant };
  if (urlEnv !== undefined && urlFile === undefined) return { url_env: urlEnv, tenant };
  throw new TradeAgentError('usage', 'the database’s URL is missing: pass --url-file or --url-env', {
    hint: 'Put postgresql://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full into a file that only you can read.',
  });
}
