import type { Command } from 'commander';
import type { GatewayPlaces } from '../../../app/gateway/settings-file.ts';
import type { Cli } from '../../context/cli.ts';
import { runCommand } from '../../context/run-command.ts';
import { examples, exitCodes } from '../../options/help.ts';
import { addGatewayAudit } from './gateway-audit.ts';

/** What is done about the gateway's record and its halts at its own machine. @param placesOf what options name */
export function addGatewayRecord(
  gateway: Command,
  cli: Cli,
  placesOf: (options: { readonly home?: string; readonly config?: string }) => GatewayPlaces,
): void {
  addGatewayAudit(gateway, cli, placesOf);

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
