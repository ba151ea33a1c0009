import { exits, sessionExits } from '../../../app/exit-codes.ts';
import { listOrders, showOrder } from '../../../app/orders/orders.ts';
import { safeLine } from '../../../text/shown-text.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { choiceOption, parseLimit } from '../../options/choice.ts';
import { readerOf } from '../../text/reader.ts';
import { orderExits } from './order-options.ts';
import { addCancelCommand, addPlaceCommands, addReplaceCommand } from './place.ts';

export function addOrdersCommand(program: CliCommand): void {
  const orders = program
    .command('orders')
    .alias('order')
    .summary('list, show, place, change and cancel orders')
    .description(
      'Lists your orders, shows one, places, changes or cancels one. "order" and "orders" are one command. What is placed or changed goes to your phone as what you ask in words does, without a language model.',
    )
    .examples(
      ['trade-agent orders', 'all, newest first'],
      ['trade-agent orders list --status open', 'those that can still fill'],
      ['trade-agent order buy AAPL --qty 5 --limit 180', 'waits for the phone'],
      ['trade-agent order sell MSFT --amount 250 --key monday-MSFT', 'once, however often it is run'],
      ['trade-agent order replace ID --limit 185', 'ID, or its first characters'],
      ['trade-agent order cancel ID', 'asks your phone where it protects a position'],
    )
    .exits(...orderExits);
  addListCommand(orders);
  orders
    .command('show')
    .description('show one order')
    .argument('<id>', "the broker's order id, or how it begins")
    .examples(['trade-agent order show ID --output json', 'every field of it'])
    .exits(...sessionExits)
    .runs(printOrder);
  addPlaceCommands(orders);
  addReplaceCommand(orders);
  addCancelCommand(orders);
}

function addListCommand(orders: CliCommand): void {
  orders
    .command('list', { isDefault: true })
    .description('list orders, newest first')
    .addOption(choiceOption('--status <status>', 'which orders', ['open', 'closed', 'all']).default('all'))
    .option('--limit <n>', 'at most this many', parseLimit, 50)
    .examples(
      ['trade-agent orders list --status open', 'those that can still fill'],
      ['trade-agent orders list --account all', 'of all your accounts, each naming its own'],
      ['trade-agent orders list --limit 5 --output json', 'the last five, for scripts'],
      ['trade-agent orders list --output csv > orders.csv', 'for a spreadsheet'],
    )
    .exits(...sessionExits, exits.found)
    .runs(printOrders);
}

/** Ends with {@link exits.found} if an account could not be read. */
async function printOrders(
  context: Context,
  options: { status: 'open' | 'closed' | 'all'; limit: number },
): Promise<number> {
  const { orders, missing } = await listOrders(context, options);
  await context.output.result('orders', { orders, missing }, async () => {
    const { ordersText } = await import('../../text/reports.ts');
    return orders.length === 0 ? 'No orders.' : ordersText(orders, readerOf(context.io));
  });
  for (const { label, message } of missing) {
    context.io.talk(safeLine(`the orders of ${label} could not be read: ${message}`));
  }
  return missing.length === 0 ? exits.done : exits.found;
}

async function printOrder(context: Context, id: string): Promise<void> {
  const order = await showOrder(context, id);
  await context.output.result('order', { order }, async () =>
    (await import('../../text/reports.ts')).orderText(order, readerOf(context.io)),
  );
}
