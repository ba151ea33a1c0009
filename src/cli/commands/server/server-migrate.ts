import type { Command } from 'commander';
import { runCommand } from '../../cli.ts';
import { type AddressFlags, addAddressOptions, addressPlaceOf } from '../../options/address-place.ts';
import { examples, exitCodes } from '../../options/help.ts';
import { serverPlacesOf } from '../../options/server-places.ts';
import type { Cli } from '../../surroundings.ts';

export function addServerMigrate(server: Command, cli: Cli): void {
  addAddressOptions(
    server
      .command('migrate')
      .description(
        "makes the server's tables in a PostgreSQL database, or brings them up to date, by the login that owns them; also while servers and workers run",
      ),
    "the server's folder",
  )
    .addHelpText(
      'after',
      examples([
        ['trade-agent server migrate --url-file owner-url', 'before the first server, and after each update'],
      ]) + exitCodes([]),
    )
    .action((flags: AddressFlags, command: Command) =>
      runCommand(cli, command, async (context) => {
        const place = addressPlaceOf(flags);
        const { migrateServer } = await import('../../../app/server/migrate-server.ts');
        const { from, to } = await migrateServer(
          context,
          serverPlacesOf(cli, command.optsWithGlobals()),
          place,
        );
        await context.output.result('server-migrate', { from, to }, () =>
          from === to
            ? `The tables are of version ${to} already.`
            : `The tables are of version ${to} now; they were of ${from}.`,
        );
      }),
    );
}
