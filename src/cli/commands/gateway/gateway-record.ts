import type { Command } from 'commander';
import { exits } from '../../../app/exit-codes.ts';
import type { GatewayPlaces } from '../../../app/gateway/gateway-key.ts';
import type { VerifyOptions } from '../../../app/gateway/verify-record.ts';
import { runCommand } from '../../cli.ts';
import { examples, exitCodes } from '../../options/help.ts';
import type { Cli } from '../../surroundings.ts';

/** What is done about the gateway's record and its halts at its own machine. @param placesOf what options name */
export function addGatewayRecord(
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
      runCommand(cli, command, async (context) => {
        const { liftHalt } = await import('../../../app/gateway/gateway-record.ts');
        const places = placesOf(command.optsWithGlobals());
        const { ended, haltedAt, liftedAt, state } = await liftHalt(context, places, user);
        await context.output.result(
          'gateway-halt',
          { sub: user, ended, halted_at: haltedAt, lifted_at: liftedAt, state },
          () =>
            `${
              ended === 'halted'
                ? `Trading of ${user} was halted`
                : `Positions of ${user} could only be made smaller`
            } since ${haltedAt}; ${
              state === 'active' ? 'trading goes on.' : 'positions may still only be made smaller.'
            }`,
        );
      }),
    );

  gateway
    .command('recount')
    .description(
      "has orders that the machine's clock dated in the future, when it was wrong, count for today; run it once the clock is right",
    )
    .addHelpText(
      'after',
      examples([['trade-agent gateway recount', 'after POLICY_CLOCK_BEHIND; also while the gateway runs']]) +
        exitCodes([]),
    )
    .action((_: object, command: Command) =>
      runCommand(cli, command, async (context) => {
        const { recount } = await import('../../../app/gateway/gateway-record.ts');
        const { orders, newest } = await recount(context, placesOf(command.optsWithGlobals()));
        await context.output.result('gateway-recount', { orders, newest }, () =>
          newest === null
            ? 'No order is dated after the clock.'
            : `${orders} ${orders === 1 ? 'order counts' : 'orders count'} for today from now on; the latest was dated ${newest}.`,
        );
      }),
    );
}
