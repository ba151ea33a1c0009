import { exitCodes, sessionExitCodes } from '../../../app/exit-codes.ts';
import { findOrder, listOrders } from '../../../app/orders/orders.ts';
import type { OrderChangeFlags, OrderFlags, OrderRequestSettings } from '../../../app/orders/place-order.ts';
import { safeLine } from '../../../text/sanitize.ts';
import type { Side } from '../../../trading/order.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { createChoiceOption, parseListLimit } from '../../options/choice.ts';
import { toAudience } from '../../text/audience.ts';
import { addApprovalOptions, addOrderTermOptions, orderExitCodes } from './order-options.ts';

export function addOrdersCommand(program: CliCommand): void {
  const orders = program
    .command('orders')
    .alias('order')
    .summary('list, show, place, change and cancel orders')
    .description(
      'List, show, place, change and cancel orders ("order" works too). Orders and changes go to your phone for approval, just like requests in plain English, but no language model is involved.',
    )
    .examples(
      ['trade-agent orders', 'all orders, newest first'],
      ['trade-agent orders list --status open', 'open orders'],
      ['trade-agent order buy AAPL --qty 5 --limit 180', 'waits for your approval'],
      ['trade-agent order sell MSFT --amount 250 --key monday-MSFT', 'placed once, even if run again'],
      ['trade-agent order replace ID --limit 185', 'ID, or a unique prefix'],
      ['trade-agent order cancel ID', 'needs approval if it protects a position'],
    )
    .exits(...orderExitCodes);
  addListCommand(orders);
  orders
    .command('show')
    .description('show one order')
    .argument('<id>', "the broker's order ID, or a unique prefix")
    .examples(['trade-agent order show ID --output json', 'all its fields'])
    .exits(...sessionExitCodes)
    .runs(printOrder);
  addPlaceCommands(orders);
  addReplaceCommand(orders);
  addCancelCommand(orders);
}

function addListCommand(orders: CliCommand): void {
  orders
    .command('list', { isDefault: true })
    .description('list orders, newest first')
    .addOption(createChoiceOption('--status <status>', 'which orders', ['open', 'closed', 'all']).default('all'))
    .option('--limit <n>', 'maximum number of orders', parseListLimit, 50)
    .examples(
      ['trade-agent orders list --status open', 'open orders'],
      ['trade-agent orders list --account all', 'orders of all your accounts'],
      ['trade-agent orders list --limit 5 --output json', 'the last five, for scripts'],
      ['trade-agent orders list --output csv > orders.csv', 'for a spreadsheet'],
    )
    .exits(...sessionExitCodes, exitCodes.found)
    .runs(printOrders);
}

/** Prints orders. Returns {@link exits.found} if any account could not be read. */
async function printOrders(
  context: Context,
  options: { status: 'open' | 'closed' | 'all'; limit: number },
): Promise<number> {
  const { orders, missing } = await listOrders(context, options);
  await context.output.result('orders', { orders, missing }, async () => {
    const { ordersText } = await import('../../text/reports.ts');
    return orders.length === 0 ? 'No orders.' : ordersText(orders, toAudience(context.io));
  });
  for (const { label, message } of missing) {
    context.io.talk(safeLine(`could not read the orders of ${label}: ${message}`));
  }
  return missing.length === 0 ? exitCodes.done : exitCodes.found;
}

async function printOrder(context: Context, id: string): Promise<void> {
  const order = await findOrder(context, id);
  await context.output.result('order', { order }, async () =>
    (await import('../../text/reports.ts')).orderText(order, toAudience(context.io)),
  );
}

function addPlaceCommands(orders: CliCommand): void {
  for (const side of ['buy', 'sell'] as const) addPlaceCommand(orders, side);
}

const placeExamples: Readonly<Record<Side, readonly (readonly [string, string])[]>> = {
  buy: [
    ['trade-agent order buy AAPL --qty 5', 'a market order; waits for your approval'],
    ['trade-agent order buy AAPL --amount 250', 'for $250'],
    ['trade-agent order buy BTC/USD --amount 100 --tif gtc', 'crypto, at any time'],
    ['trade-agent order buy AAPL261218C00190000 --qty 1 --limit 2.50', 'a call: $2.50 per share, $250 total'],
    ['trade-agent order buy AAPL --qty 5 --limit 180 --tif gtc', 'a limit order that stays open'],
    [
      'trade-agent order buy AAPL --qty 5 --limit 180 --take-profit 200 --stop-loss 170:169.50',
      'a bracket order with one approval',
    ],
    [
      'trade-agent order buy AAPL --qty 5 --key mon-AAPL --approval detach',
      `exits with ${exitCodes.pending}; running it again does not place a second order`,
    ],
  ],
  sell: [
    ['trade-agent order sell AAPL --qty 5', 'a market order; waits for your approval'],
    ['trade-agent order sell AAPL --qty 5 --stop 170 --limit 169', 'a stop limit order'],
    ['trade-agent order sell AAPL --qty 5 --stop 170 --at-market', 'a stop that sells at any price'],
    ['trade-agent order sell AAPL --qty 5 --trail 2%', 'a trailing stop'],
    ['trade-agent order sell AAPL261218C00200000 --qty 1 --limit 1.20 --open', 'a covered call'],
    [
      'trade-agent order sell AAPL --qty 5 --take-profit 200 --stop-loss 170',
      'whichever comes first; the other is canceled',
    ],
    ['trade-agent order sell AAPL --qty 5 --approval mandate', 'only if a mandate covers it'],
  ],
};

function addPlaceCommand(orders: CliCommand, side: Side): void {
  const command = orders
    .command(side)
    .summary(`propose to ${side}, without a language model`)
    .description(
      `Propose to ${side} exactly what the options say, wait for your approval, and show the outcome. No language model is involved.`,
    )
    .argument('<symbol>', 'such as AAPL, BTC/USD, or an option: AAPL261218C00190000')
    .option('--qty <number>', 'number of shares, coins or contracts')
    .option('--amount <dollars>', `amount in dollars to ${side}`);
  const once = side === 'buy' ? 'after the purchase, ' : '';
  addOrderTermOptions(command, 'trailing stop distance: dollars per share, or percent as in 2%');
  if (side === 'sell') {
    command.option('--at-market', 'with --stop: sell at the market price, even if it jumps far past the stop');
  }
  command
    .option('--take-profit <price>', `${once}sell at this price or more (dollars per share)`)
    .option(
      '--stop-loss <price[:limit]>',
      `${once}sell when the price falls to this, at no less than the limit (dollars per share)`,
    )
    .option('--extended-hours', 'also trade outside regular hours (limit orders only)')
    .option('--open', `for options: ${side} to open a position`)
    .option('--close', `for options: ${side} to close a position`);
  addApprovalOptions(command)
    .examples(...placeExamples[side])
    .exits(...orderExitCodes)
    .runs((context, symbol: string, options: OrderFlags & OrderRequestSettings) =>
      place(context, side, symbol, options),
    );
}

async function place(
  context: Context,
  side: Side,
  symbol: string,
  flags: OrderFlags & OrderRequestSettings,
): Promise<number> {
  const { buildOrderProposal, buildOrderFromFlags } = await import('../../../app/orders/place-order.ts');
  const order = buildOrderFromFlags(side, symbol, flags);
  const under = flags.approval === 'mandate' ? ({ mandate: 'any', approval: 'mandate' } as const) : {};
  const request = buildOrderProposal(order, flags, await context.profile(), under);
  const { proposeAndShowOutcome } = await import('./show-outcome.ts');
  return proposeAndShowOutcome(context, (ask) => ask(request), flags);
}

function addReplaceCommand(orders: CliCommand): void {
  const command = orders
    .command('replace')
    .summary('change an open order')
    .description(
      'Propose to change the quantity, prices or time in force of an open order. Your phone shows the old and the new values.',
    )
    .argument('<id>', "the broker's order ID, or a unique prefix")
    .option('--qty <shares>', 'number of shares');
  addOrderTermOptions(command, 'trailing stop distance: dollars per share or percent, as in the order');
  addApprovalOptions(command)
    .examples(
      ['trade-agent order replace ID --limit 185', 'only the price'],
      ['trade-agent order replace ID --limit 185 --qty 3', 'both at once'],
    )
    .exits(...orderExitCodes)
    .runs(replace);
}

async function replace(context: Context, id: string, flags: OrderChangeFlags & OrderRequestSettings): Promise<number> {
  const { buildReplaceProposal } = await import('../../../app/orders/place-order.ts');
  const { locateOrder } = await import('../../../app/orders/orders.ts');
  const { proposeAndShowOutcome } = await import('./show-outcome.ts');
  // Throws for invalid flags before any request.
  buildReplaceProposal(id, flags);
  const place = await locateOrder(context, id);
  const request = buildReplaceProposal(place.id, flags, place.at);
  return proposeAndShowOutcome(context, (ask) => ask(request), flags);
}

function addCancelCommand(orders: CliCommand): void {
  const command = orders
    .command('cancel')
    .summary('cancel an open order')
    .description(
      'Cancel an open order. An order that protects a position, such as a stop, needs your approval; all others are canceled immediately.',
    )
    .argument('<id>', "the broker's order ID, or a unique prefix");
  addApprovalOptions(command)
    .examples(['trade-agent order cancel ID', 'existing fills are kept'])
    .exits(...orderExitCodes)
    .runs(async (context, id: string, options: OrderRequestSettings) => {
      const { cancelOrder } = await import('../../../app/orders/orders.ts');
      const { proposeAndShowOutcome } = await import('./show-outcome.ts');
      return proposeAndShowOutcome(context, (ask) => cancelOrder(context, id, ask), options);
    });
}
