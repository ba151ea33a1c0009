import type { CliCommand } from '../../context/cli-command.ts';
import { placesOf } from '../server/places.ts';
import { addGatewayAudit } from './gateway-audit.ts';

/** Commands for the gateway's record and halts, on its own machine. */
export function addGatewayRecord(gateway: CliCommand): void {
  addGatewayAudit(gateway);

  gateway
    .command('halt')
    .description("ends a halt of somebody's trading at the gateway's own machine, where their phone can't")
    .requiredOption('--lift', 'end it; "trade-agent halt" begins one')
    .requiredOption('--user <sub>', 'whose, as the identity provider names them')
    .examples(['trade-agent gateway halt --lift --user alice', 'also while the gateway runs'])
    .runs(async (context, { user }: { user: string }, command: CliCommand) => {
      const { liftHalt } = await import('../../../app/gateway/gateway-record.ts');
      const places = placesOf(command, 'gateway');
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
    });

  gateway
    .command('recount')
    .description(
      "has orders that the machine's clock dated in the future, when it was wrong, count for today; run it once the clock is right",
    )
    .examples(['trade-agent gateway recount', 'after POLICY_CLOCK_BEHIND; also while the gateway runs'])
    .runs(async (context, _: object, command: CliCommand) => {
      const { recount } = await import('../../../app/gateway/gateway-record.ts');
      const { orders, newest } = await recount(context, placesOf(command, 'gateway'));
      await context.output.result('gateway-recount', { orders, newest }, () =>
        newest === null
          ? 'No order is dated after the clock.'
          : `${orders} ${orders === 1 ? 'order counts' : 'orders count'} for today from now on; the latest was dated ${newest}.`,
      );
    });
}
