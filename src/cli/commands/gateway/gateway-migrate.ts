import type { CliCommand } from '../../context/cli-command.ts';
import { type AddressFlags, addAddressOptions, addressPlaceOf } from '../../options/address-place.ts';
import { gatewayPlacesOf } from './places.ts';

export function addGatewayMigrate(gateway: CliCommand): void {
  addAddressOptions(
    gateway
      .command('migrate')
      .description(
        "makes the gateway's tables in a PostgreSQL database, or brings them up to date, by the login that owns them; also while gateways run",
      ),
    "the gateway's folder",
  )
    .examples([
      'trade-agent gateway migrate --url-file owner-url',
      'before the first gateway, and after each update',
    ])
    .runs(async (context, flags: AddressFlags, command: CliCommand) => {
      const place = addressPlaceOf(flags);
      const { migrateDatabase } = await import('../../../app/gateway/gateway-database.ts');
      const { from, to } = await migrateDatabase(context, gatewayPlacesOf(command), place);
      await context.output.result('gateway-migrate', { from, to }, () =>
        from === to
          ? `The tables are of version ${to} already.`
          : `The tables are of version ${to} now; they were of ${from}.`,
      );
    });
}
