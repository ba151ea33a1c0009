import { exits, sessionExits } from '../../../app/exit-codes.ts';
import { listOrders, showOrder } from '../../../app/orders/orders.ts';
import type { AskSettings, ChangeFlags, OrderFlags } from '../../../app/orders/place-order.ts';
import { safeLine } from '../../../text/shown-text.ts';
import type { Side } from '../../../trading/order.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { choiceOption, parseLimit } from '../../options/choice.ts';
import { readerOf } from '../../text/reader.ts';
import { addAskingOptions, addTermOptions, orderExits } from './order-options.ts';

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

function addPlaceCommands(orders: CliCommand): void {
  for (const side of ['buy', 'sell'] as const) addPlaceCommand(orders, side);
}

const placeExamples: Readonly<Record<Side, readonly (readonly [string, string])[]>> = {
  buy: [
    ['trade-agent order buy AAPL --qty 5', 'at the market; waits for the phone'],
    ['trade-agent order buy AAPL --amount 250', 'dollars'],
    ['trade-agent order buy BTC/USD --amount 100 --tif gtc', 'of a coin, at any hour'],
    ['trade-agent order buy AAPL261218C00190000 --qty 1 --limit 2.50', 'a call: $2.50 a share, $250 in all'],
    ['trade-agent order buy AAPL --qty 5 --limit 180 --tif gtc', 'a limit order that stands'],
    [
      'trade-agent order buy AAPL --qty 5 --limit 180 --take-profit 200 --stop-loss 170:169.50',
      'with its exits: one approval shows all of it',
    ],
    [
      'trade-agent order buy AAPL --qty 5 --key mon-AAPL --approval detach',
      `exits ${exits.pending}; run again, it is the same order`,
    ],
  ],
  sell: [
    ['trade-agent order sell AAPL --qty 5', 'at the market; waits for the phone'],
    ['trade-agent order sell AAPL --qty 5 --stop 170 --limit 169', 'a stop limit order'],
    ['trade-agent order sell AAPL --qty 5 --trail 2%', 'a trailing stop'],
    ['trade-agent order sell AAPL261218C00200000 --qty 1 --limit 1.20 --open', 'a covered call'],
    [
      'trade-agent order sell AAPL --qty 5 --take-profit 200 --stop-loss 170',
      'whichever comes first; the other is cancelled',
    ],
    ['trade-agent order sell AAPL --qty 5 --approval mandate', 'only where a mandate covers it'],
  ],
};

function addPlaceCommand(orders: CliCommand, side: Side): void {
  const command = orders
    .command(side)
    .summary(`${side} shares, by flags`)
    .description(
      `Proposes to ${side} exactly what the flags say, waits for your phone, and tells what became of it. No language model reads it.`,
    )
    .argument('<symbol>', 'such as AAPL, BTC/USD, or an option: AAPL261218C00190000')
    .option('--qty <number>', 'how many shares, coins or contracts')
    .option('--amount <dollars>', `how many dollars ${side === 'buy' ? 'to spend' : 'worth'}`);
  const once = side === 'buy' ? 'once bought, ' : '';
  addTermOptions(command, 'a trailing stop: dollars a share, or percent as in 2%')
    .option('--take-profit <price>', `${once}sells at this price or more (dollars a share)`)
    .option(
      '--stop-loss <price[:limit]>',
      `${once}sells when the price falls to this; at no less than the limit (dollars a share)`,
    )
    .option('--extended-hours', 'also before and after the market (limit orders)')
    .option('--open', `of an option: ${side} to open a position`)
    .option('--close', `of an option: ${side} to close one`);
  addAskingOptions(command)
    .examples(...placeExamples[side])
    .exits(...orderExits)
    .runs((context, symbol: string, options: OrderFlags & AskSettings) =>
      place(context, side, symbol, options),
    );
}

async function place(
  context: Context,
  side: Side,
  symbol: string,
  flags: OrderFlags & AskSettings,
): Promise<number> {
  const { orderProposal, typedOrder } = await import('../../../app/orders/place-order.ts');
  const order = typedOrder(side, symbol, flags);
  const under = flags.approval === 'mandate' ? ({ mandate: 'any', approval: 'mandate' } as const) : {};
  const request = orderProposal(order, flags, await context.profile(), under);
  const { showOutcome } = await import('./show-outcome.ts');
  return showOutcome(context, (ask) => ask(request), flags);
}

function addReplaceCommand(orders: CliCommand): void {
  const command = orders
    .command('replace')
    .summary('change an open order')
    .description(
      'Proposes to change an open order: its quantity, prices or time in force. Your phone shows it as it is and as it would be.',
    )
    .argument('<id>', "the broker's order id, or how it begins")
    .option('--qty <shares>', 'how many shares');
  addTermOptions(command, 'of a trailing stop: dollars a share or percent, as it has');
  addAskingOptions(command)
    .examples(
      ['trade-agent order replace ID --limit 185', 'the price alone'],
      ['trade-agent order replace ID --limit 185 --qty 3', 'both at once'],
    )
    .exits(...orderExits)
    .runs(replace);
}

async function replace(context: Context, id: string, flags: ChangeFlags & AskSettings): Promise<number> {
  const { replaceProposal } = await import('../../../app/orders/place-order.ts');
  const { placeOfOrder } = await import('../../../app/orders/orders.ts');
  const { showOutcome } = await import('./show-outcome.ts');
  // Reports wrong flags before anybody is asked.
  replaceProposal(id, flags);
  const place = await placeOfOrder(context, id);
  const request = replaceProposal(place.id, flags, place.at);
  return showOutcome(context, (ask) => ask(request), flags);
}

function addCancelCommand(orders: CliCommand): void {
  const command = orders
    .command('cancel')
    .summary('cancel an open order')
    .description(
      'Cancels an open order. One that opens or adds to a position is cancelled at once; where it protects one (a stop, say), your phone is asked first.',
    )
    .argument('<id>', "the broker's order id, or how it begins");
  addAskingOptions(command)
    .examples(['trade-agent order cancel ID', 'what has filled stays'])
    .exits(...orderExits)
    .runs(async (context, id: string, options: AskSettings) => {
      const { cancelOrder } = await import('../../../app/orders/orders.ts');
      const { showOutcome } = await import('./show-outcome.ts');
      return showOutcome(context, (ask) => cancelOrder(context, id, ask), options);
    });
}
