import type { Command } from 'commander';
import { exits } from '../../../app/exit-codes.ts';
import type { GatewayPlaces } from '../../../app/gateway/gateway-key.ts';
import type { VerifyOptions } from '../../../app/gateway/verify-record.ts';
import { runCommand } from '../../cli.ts';
import { examples, exitCodes } from '../../options/help.ts';
import type { Cli } from '../../surroundings.ts';

/** @param placesOf what options name */
export function addGatewayAudit(
  gateway: Command,
  cli: Cli,
  placesOf: (options: { readonly home?: string; readonly config?: string }) => GatewayPlaces,
): void {
  gateway
    .command('audit')
    .description("the gateway's record: what was proposed, asked, decided, carried out")
    .addHelpText(
      'after',
      examples([['trade-agent gateway audit verify', 'find out whether it is whole']]) + exitCodes([]),
    )
    .command('verify')
    .description(
      'finds the first line of the record that was changed, removed or added, or that signs or vouches for something else',
    )
    .argument('[file]', "a copy, verified by itself (default: the gateway's own file, with its database)")
    .option(
      '--key <key>',
      "the gateway's key: a file (JWK, JWK Set) or its thumbprint (default: the gateway's own; for a copy what the profile's gateway publishes)",
    )
    .option(
      '--checkpoint <file>',
      'a checkpoint that you kept, or a receipt with one: it must be in the record',
    )
    .option('--authority-ca <file>', 'certificates (PEM) that a time-stamp authority must lead to')
    .addHelpText(
      'after',
      examples([
        ['trade-agent gateway audit verify --home /srv/gateway', 'also while the gateway runs'],
        [
          'trade-agent gateway audit verify --output json > kept.json',
          'keep it elsewhere, for the next time',
        ],
        [
          'trade-agent gateway audit verify audit.jsonl --key gateway-key.json --checkpoint kept.json',
          'a copy, by a key that you have kept: needs no network',
        ],
      ]) + exitCodes([]),
    )
    .action((file: string | undefined, options: Omit<VerifyOptions, 'file'>, command: Command) =>
      runCommand(cli, command, async (context) => {
        const { verifyRecord } = await import('../../../app/gateway/verify-record.ts');
        const places = placesOf(command.optsWithGlobals());
        const found = await verifyRecord(context, places, { ...options, file });
        await context.output.result('gateway-audit', { ...found }, async () => {
          const { auditText } = await import('./audit-text.ts');
          return auditText(found);
        });
        return found.ok ? exits.done : exits.failed;
      }),
    );
}
