import { approvalExitCodes, sessionExitCodes } from '../../../app/exit-codes.ts';
import type { MandateView } from '../../../trading/mandate/mandate.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { createChoiceOption } from '../../options/choice.ts';
import { toAudience } from '../../text/audience.ts';
import type { AddMandateOptions } from './mandate-terms.ts';

const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'] as const;

export function addMandatesCommand(program: CliCommand): void {
  const mandates = program
    .command('mandates')
    .summary('manage orders approved in advance')
    .description(
      'A mandate approves orders in advance. You sign it once on your phone: symbols, amounts per order, per day and in total, how often, and until when. The gateway places orders within it without asking; all others still need your approval. Ending a mandate needs no approval.',
    )
    .examples(
      ['trade-agent mandates', 'your mandates and how much of them is used'],
      [
        'trade-agent mandates add VOO --per-order 200 --total 800 --orders 4 --every week --until 2026-12-20',
        'needs your approval',
      ],
      ['trade-agent mandates revoke M-x9K2aB7cD1', 'takes effect immediately'],
    )
    .exits(...sessionExitCodes);
  mandates
    .command('list', { isDefault: true })
    .description('list your mandates and how much of them is used')
    .examples(['trade-agent mandates list', 'one row each'], ['trade-agent mandates list --output json', 'for scripts'])
    .exits(...sessionExitCodes)
    .runs(printMandates);
  mandates
    .command('show')
    .description('show one mandate with all its terms')
    .argument('<id>', 'the ID from "trade-agent mandates"')
    .examples(['trade-agent mandates show M-x9K2aB7cD1', 'all its terms'])
    .exits(...sessionExitCodes)
    .runs(async (context, id: string) => {
      const { findMandate } = await import('../../../app/mandates.ts');
      await printMandate(context, await findMandate(context, id));
    });
  addAdd(mandates);
  addEnd(mandates, 'suspend', 'suspended', 'suspend a mandate until a new one replaces it');
  addEnd(mandates, 'revoke', 'revoked', 'end a mandate permanently');
}

function addAdd(mandates: CliCommand): void {
  mandates
    .command('add')
    .summary('request a mandate on your phone')
    .description(
      'Request a mandate on your phone and wait for your approval. Amounts are in dollars; an order counts at its worst case. Days are in New York time. With --replaces, your approval ends the earlier mandate, and options that you leave out keep its values.',
    )
    .argument('[symbols...]', 'the symbols, such as AAPL MSFT')
    .option('--per-order <amount>', 'maximum per order')
    .option('--per-day <amount>', 'maximum per day')
    .option('--total <amount>', 'maximum total of all purchases and sales')
    .option('--orders <number>', 'maximum number of orders; at most 10 on demand')
    .option('--until <day>', 'the last day: up to 35 days ahead for live accounts, 90 for paper')
    .option('--from <day>', 'the first day (default: now)')
    .addOption(
      createChoiceOption(
        '--every <period>',
        'how often each symbol and side may be ordered (default: on demand); with --buy or --sell, when the gateway orders: day, a weekday, or month (on the 1st)',
        ['demand', 'day', 'week', 'month', ...weekdays],
      ),
    )
    .option('--times <number>', 'orders per period (default: 1)')
    .addOption(createChoiceOption('--side <side>', 'allowed sides (default: buy)', ['buy', 'sell', 'both']))
    .option('--types <types>', 'allowed order types (default: market,limit)')
    .option('--time-in-force <times>', 'allowed times in force (default: day)')
    .option('--price <band...>', 'allowed prices per share, SYMBOL=FROM..TO: AAPL=150..190')
    .option('--slippage <fraction>', 'maximum deviation from the price: 0.01 is 1%')
    .option('--replaces <id>', 'ID of an earlier mandate that the new one replaces')
    .option('--buy <symbol>', 'a standing order: the gateway buys this symbol')
    .option('--sell <symbol>', 'a standing order: the gateway sells this symbol')
    .option('--qty <shares>', 'with --buy or --sell: number of shares')
    .option('--amount <dollars>', 'with --buy or --sell: amount in dollars')
    .option('--limit <price>', 'with --buy or --sell: a limit order at this price')
    .option('--at <time>', 'with --every: the time, HH:MM in New York (default: 10:00)')
    .option('--below <price>', 'with --buy or --sell: once, when the price falls below this')
    .option('--above <price>', 'with --buy or --sell: once, when the price rises above this')
    .examples(
      [
        'trade-agent mandates add VOO BND --per-order 300 --total 2400 --orders 8 --every month --until 2026-12-31',
        'two funds, each once a month',
      ],
      [
        'trade-agent mandates add AAPL --side sell --price AAPL=200.. --per-order 1000 --total 1000 --orders 1 --until 2026-12-20',
        'one sale at $200 or more',
      ],
      ['trade-agent mandates add --replaces M-x9K2aB7cD1 --until 2026-12-20', 'the same terms, extended'],
      ['trade-agent mandates add --buy VTI --amount 200 --every monday', 'the gateway buys every Monday at 10:00'],
      [
        'trade-agent mandates add --sell NVDA --qty 5 --below 100 --until 2026-12-04',
        'the gateway sells once, if the price falls below $100',
      ],
    )
    .exits(...approvalExitCodes)
    .runs(async (context, symbols: string[], options: AddMandateOptions) => {
      const { requestMandate } = await import('../../../app/mandates.ts');
      const { parseMandateTerms } = await import('./mandate-terms.ts');
      const { parseStandingOrder } = await import('./standing-order-options.ts');
      const standing = parseStandingOrder(symbols, options);
      const terms = parseMandateTerms(symbols, standing === undefined ? options : { ...options, every: undefined });
      const mandate = await requestMandate(context, { ...terms, ...standing }, async () =>
        (await import('../../run/approval-progress.ts')).createApprovalListener(context),
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
    .description(`${description}; further orders need your approval or are refused`)
    .argument('<id>', 'the ID from "trade-agent mandates"')
    .examples([`trade-agent mandates ${name} M-x9K2aB7cD1`, 'immediately; needs no approval'])
    .exits(...sessionExitCodes)
    .runs(async (context, id: string) => {
      const { endMandate } = await import('../../../app/mandates.ts');
      await printMandate(context, await endMandate(context, id, to));
    });
}

async function printMandates(context: Context): Promise<void> {
  const mandates = await (await context.gateway()).mandates();
  await context.output.result('mandates', { mandates }, async () => {
    if (mandates.length === 0) return 'No mandates. Every order needs your approval.';
    const { mandatesText } = await import('./mandate-text.ts');
    return mandatesText(mandates, toAudience(context.io));
  });
}

async function printMandate(context: Context, mandate: MandateView): Promise<void> {
  await context.output.result('mandate', { mandate }, async () =>
    (await import('./mandate-text.ts')).mandateText(mandate),
  );
}
