import type { Command } from 'commander';
import type { GatewayPlaces } from '../../../app/gateway/settings-file.ts';
import type { Cli } from '../../context/cli.ts';
import { runCommand } from '../../context/run-command.ts';
import { type AddressFlags, addAddressOptions, addressPlaceOf } from '../../options/address-place.ts';
import { examples, exitCodes } from '../../options/help.ts';

export function addGatewayMigrate(
  gateway: Command,
  cli: Cli,
  placesOf: (options: { readonly home?: string; readonly config?: string }) => GatewayPlaces,
): void {
  addAddressOptions(
    gateway
      .command('migrate')
      .description(
        "makes the gateway's tables in a PostgreSQL database, or brings them up to date, by the login that owns them; also while gateways run",
      ),
    "the gateway's folder",
  )
    .addHelpText(
      'after',
      examples([
        [
          'trade-agent gateway migrate --url-file owner-url',
          'before the first gateway, and after each update',
        ],
      ]) + exitCodes([]),
    )
    .action((flags: AddressFlags, command: Command) =>
      runCommand(cli, command, async (context) => {
        const place = addressPlaceOf(flags);
        const { migrateDatabase } = await import('../../../app/gateway/gateway-database.ts');
        const { from, to } = await migrateDatabase(context, placesOf(command.optsWithGlobals()), place);
        await context.output.result('gateway-migrate', { from, to }, () =>
          from === to
            ? `The tables are of version ${to} already.`
            : `The tables are of version ${to} now; they were of ${from}.`,
        );
      }),
    );
}
