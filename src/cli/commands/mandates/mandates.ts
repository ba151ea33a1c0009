import { askingExits, sessionExits } from '../../../app/exit-codes.ts';
import type { MandateView } from '../../../trading/mandate/mandate.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { choiceOption } from '../../options/choice.ts';
import { readerOf } from '../../text/reader.ts';
import type { AddOptions } from './mandate-terms.ts';

const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'] as const;

export function addMandatesCommand(program: CliCommand): void {
  const mandates = program
    .command('mandates')
    .summary('what may be traded without asking you again')
    .description(
      'A mandate is a yes to orders beforehand, given once on your phone: for which symbols, how much an order, a day and in all, how often, until when. Orders within it are placed and counted by the gateway without asking; all others are asked for as ever. Taking one back needs no phone.',
    )
    .examples(
      ['trade-agent mandates', 'each with what is left of it'],
      [
        'trade-agent mandates add VOO --per-order 200 --total 800 --orders 4 --every week --until 2026-12-20',
        'asks your phone',
      ],
      ['trade-agent mandates revoke M-x9K2aB7cD1', 'for the next order already'],
    )
    .exits(...sessionExits);
  mandates
    .command('list', { isDefault: true })
    .description('list your mandates, with what is used of each')
    .examples(
      ['trade-agent mandates list', 'one row each'],
      ['trade-agent mandates list --output json', 'for scripts'],
    )
    .exits(...sessionExits)
    .runs(printMandates);
  mandates
    .command('show')
    .description('show one mandate, to the last term')
    .argument('<id>', 'as "trade-agent mandates" lists it')
    .examples(['trade-agent mandates show M-x9K2aB7cD1', 'all of it'])
    .exits(...sessionExits)
    .runs(async (context, id: string) => {
      const { findMandate } = await import('../../../app/mandates.ts');
      await printMandate(context, await findMandate(context, id));
    });
  addAdd(mandates);
  addEnd(mandates, 'suspend', 'suspended', 'suspend a mandate; a new one in its place makes it good again');
  addEnd(mandates, 'revoke', 'revoked', 'end a mandate for good');
}

function addAdd(mandates: CliCommand): void {
  mandates
    .command('add')
    .summary('ask your phone for a mandate')
    .description(
      'Asks your phone for a mandate, and waits. Amounts are dollars, an order counted at the worst it can come to. A day is one of New York. With --replaces the earlier one ends with your approval, and what you leave out is as it was there.',
    )
    .argument('[symbols...]', 'for which symbols: AAPL MSFT')
    .option('--per-order <amount>', 'the most that one order may come to')
    .option('--per-day <amount>', 'the most that the orders of a day may come to')
    .option('--total <amount>', 'the most that all orders may come to, purchases and sales')
    .option('--orders <number>', 'how many orders there may be; at most 10 on demand')
    .option('--until <day>', 'the last day: 30 days at most with real money, 90 on paper')
    .option('--from <day>', 'the first day (default: now)')
    .addOption(
      choiceOption(
        '--every <period>',
        'how often each symbol and side may be ordered (default: on demand); with --buy or --sell when the gateway orders: day, a weekday, or month (its 1st)',
        ['demand', 'day', 'week', 'month', ...weekdays],
      ),
    )
    .option('--times <number>', 'so many orders each time (default: 1)')
    .addOption(choiceOption('--side <side>', 'what may be done (default: buy)', ['buy', 'sell', 'both']))
    .option('--types <types>', 'order types (default: market,limit)')
    .option('--time-in-force <times>', 'times in force (default: day)')
    .option('--price <band...>', 'prices a share, SYMBOL=FROM..TO: AAPL=150..190')
    .option('--slippage <fraction>', 'how far an order may go from its price: 0.01 is 1 %')
    .option('--replaces <id>', 'the mandate whose place it takes')
    .option('--buy <symbol>', 'have the gateway itself buy this')
    .option('--sell <symbol>', 'have the gateway itself sell this')
    .option('--qty <shares>', 'with --buy or --sell: how many shares')
    .option('--amount <dollars>', 'with --buy or --sell: for how many dollars')
    .option('--limit <price>', 'with --buy or --sell: a limit order, at this price')
    .option('--at <time>', 'with --every: when, HH:MM in New York (default: 10:00)')
    .option('--below <price>', 'with --buy or --sell: once, as soon as the price is under this')
    .option('--above <price>', 'with --buy or --sell: once, as soon as the price is over this')
    .examples(
      [
        'trade-agent mandates add VOO BND --per-order 300 --total 2400 --orders 8 --every month --until 2026-12-31',
        'two funds, once a month each',
      ],
      [
        'trade-agent mandates add AAPL --side sell --price AAPL=200.. --per-order 1000 --total 1000 --orders 1 --until 2026-12-20',
        'one sale, not below $200',
      ],
      ['trade-agent mandates add --replaces M-x9K2aB7cD1 --until 2026-12-20', 'the same again'],
      [
        'trade-agent mandates add --buy VTI --amount 200 --every monday',
        'the gateway buys, every Monday at 10:00',
      ],
      [
        'trade-agent mandates add --sell NVDA --qty 5 --below 100 --until 2026-12-04',
        'the gateway sells, once, if it falls below $100',
      ],
    )
    .exits(...askingExits)
    .runs(async (context, symbols: string[], options: AddOptions) => {
      const { addMandate } = await import('../../../app/mandates.ts');
      const { mandateTerms } = await import('./mandate-terms.ts');
      const { standingAsked } = await import('./standing-asked.ts');
      const standing = standingAsked(symbols, options);
      const terms = mandateTerms(
        symbols,
        standing === undefined ? options : { ...options, every: undefined },
      );
      const mandate = await addMandate(context, { ...terms, ...standing }, async () =>
        (await import('../../run/asked-proposal.ts')).showAsking(context),
      );
      await printMandate(context, mandate);
    });
}

function addEnd(
  mandates: CliCommand,
  name: 'suspend' | 'revoke',
  to: 'suspended' | 'revoked',
  description: string,
): void {
  mandates
    .command(name)
    .description(`${description}; the next order under it is asked for, or refused`)
    .argument('<id>', 'as "trade-agent mandates" lists it')
    .examples([`trade-agent mandates ${name} M-x9K2aB7cD1`, 'at once; no phone is needed'])
    .exits(...sessionExits)
    .runs(async (context, id: string) => {
      const { endMandate } = await import('../../../app/mandates.ts');
      await printMandate(context, await endMandate(context, id, to));
    });
}

async function printMandates(context: Context): Promise<void> {
  const mandates = await (await context.gateway()).mandates();
  await context.output.result('mandates', { mandates }, async () => {
    if (mandates.length === 0) return 'There are no mandates: every order is asked for.';
    const { mandatesText } = await import('./mandate-text.ts');
    return mandatesText(mandates, readerOf(context.io));
  });
}

async function printMandate(context: Context, mandate: MandateView): Promise<void> {
  await context.output.result('mandate', { mandate }, async () =>
    (await import('./mandate-text.ts')).mandateText(mandate),
  );
}
