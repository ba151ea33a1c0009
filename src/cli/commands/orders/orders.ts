import type { Command } from 'commander';
import { askingExits, sessionExits } from '../../../app/exit-codes.ts';
import { cancelOrder, listOrders, showOrder } from '../../../app/orders/orders.ts';
import type { ProposalRequestInput } from '../../../trading/proposal.ts';
import type { Order } from '../../../trading/views.ts';
import { runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { choiceOption } from '../../options/choice.ts';
import { examples, exitCodes } from '../../options/help.ts';
import { parseLimit } from '../../options/list-length.ts';
import type { Cli } from '../../surroundings.ts';

interface ListOptions {
  readonly status: 'open' | 'closed' | 'all';
  readonly limit: number;
}

export function addOrdersCommand(program: Command, cli: Cli): void {
  const orders = program
    .command('orders')
    .summary('list, show and cancel orders')
    .description('Lists your orders, shows one, or cancels one that is still open.')
    .addHelpText(
      'after',
      examples([
        ['trade-agent orders', 'all, newest first'],
        ['trade-agent orders list --status open', 'those that can still fill'],
        ['trade-agent orders cancel ID', 'asks your phone where it protects a position'],
      ]) + exitCodes(askingExits),
    );
  orders
    .command('list', { isDefault: true })
    .description('list orders, newest first')
    .addOption(choiceOption('--status <status>', 'which orders', ['open', 'closed', 'all']).default('all'))
    .option('--limit <n>', 'at most this many', parseLimit, 50)
    .addHelpText(
      'after',
      examples([
        ['trade-agent orders list --status open', 'those that can still fill'],
        ['trade-agent orders list --limit 5 --output json', 'the last five, for scripts'],
      ]) + exitCodes(sessionExits),
    )
    .action((options: ListOptions, command: Command) =>
      runCommand(cli, command, (context) => printOrders(context, options)),
    );
  orders
    .command('show')
    .description('show one order')
    .argument('<id>', "the broker's order id")
    .addHelpText(
      'after',
      examples([['trade-agent orders show ID --output json', 'every field of it']]) + exitCodes(sessionExits),
    )
    .action((id: string, _options, command: Command) =>
      runCommand(cli, command, async (context) => printOrder(context, await showOrder(context, id))),
    );
  orders
    .command('cancel')
    .summary('cancel an open order')
    .description(
      'Cancels an open order. One that opens or adds to a position is cancelled at once; where it protects one (a stop, say), your phone is asked first.',
    )
    .argument('<id>', "the broker's order id")
    .addHelpText(
      'after',
      examples([['trade-agent orders cancel ID', 'what has filled stays']]) + exitCodes(askingExits),
    )
    .action((id: string, _options, command: Command) =>
      runCommand(cli, command, async (context) =>
        printOrder(context, await cancelOrder(context, id, (request) => askOwner(context, request))),
      ),
    );
}

async function printOrders(context: Context, options: ListOptions): Promise<void> {
  const orders = await listOrders(context, options);
  await context.output.result('orders', { orders }, async () => {
    const { ordersText } = await import('../../text/reports.ts');
    return orders.length === 0
      ? 'No orders.'
      : ordersText(orders, context.io.stdoutIsTty ? context.io.width() : undefined);
  });
}

async function printOrder({ output }: Context, order: Order): Promise<void> {
  await output.result('order', { order }, async () => {
    const { orderText } = await import('../../text/reports.ts');
    return orderText(order);
  });
}

async function askOwner(context: Context, request: ProposalRequestInput): Promise<void> {
  const { askAndWait } = await import('../../run/asked-proposal.ts');
  await askAndWait(context, request);
}
