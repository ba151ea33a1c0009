import { phrase } from '../../text/phrase.ts';
import { defined } from '../../values/defined.ts';
import type { FixedAnswer } from './fixed-answers.ts';
import type { FigureIntent, Intent } from './intent.ts';
import type { Item } from './item.ts';
import { daysOf, type Question } from './question.ts';
import { NotUnderstoodError } from './refusal.ts';
import { readMentions, type Size } from './slots.ts';

/* Topics of questions whose answers are computed from several results. Most of them mention a trade or an order. */

export interface PlannedAnswer extends FixedAnswer {
  readonly intent?: (question: Question) => Intent | readonly Intent[] | undefined;
}

type Figure = FigureIntent['figure'];

const onlySymbol = ({ symbols }: Question) => (symbols.length === 1 ? symbols[0] : undefined);

const computed =
  (figure: Figure) =>
  (question: Question): Intent => ({ kind: 'computed', figure, ...defined({ symbol: onlySymbol(question) }) });

/** Returns a function for a figure of one symbol. */
const ofSymbol =
  (figure: Figure, more: (question: Question) => Partial<FigureIntent> | undefined = () => ({})) =>
  (question: Question): Intent | undefined => {
    const symbol = onlySymbol(question);
    const rest = symbol === undefined ? undefined : more(question);
    return symbol === undefined || rest === undefined ? undefined : { kind: 'computed', figure, symbol, ...rest };
  };

/** Meanings of words that ask for an act. If a sentence contains one, it may not be a question. */
const ACTS = ['cancel', 'change', 'remove', 'send', 'protect', 'swap', 'rebalance'];

const TRADES = ['buy', 'sell', 'close', 'trim', 'invest'];

const LINKS = ['comma', 'end', 'question', 'and', 'then'];

/** Returns whether a part of a sentence begins with an act, as in "if I can afford it, please buy 5 KO". */
export function beginsWithAct(items: readonly Item[]): boolean {
  const said = items.filter(({ tags, lower }) => !tags.includes('harmless') && !/\b(?:you|u|ya)$/.test(lower));
  return said.some(
    ({ tags }, at) =>
      tags.some((tag) => TRADES.includes(tag)) &&
      (at === 0 || said[at - 1]?.tags.some((tag) => LINKS.includes(tag)) === true),
  );
}

/** Returns whether a sentence requests an act at its end, as in "kannst du 5 KO kaufen, falls das Geld reicht?". */
function endsWithAct(items: readonly Item[]): boolean {
  const has = (...wanted: readonly string[]) => items.some(({ tags }) => wanted.some((tag) => tags.includes(tag)));
  return has(...TRADES) && !has('what') && (has('polite') || !has('ask', 'question'));
}

/** Reads only a question, not a request such as "drop my KO order if it is still open". */
const unlessRequested =
  (intent: NonNullable<PlannedAnswer['intent']>) =>
  (question: Question): ReturnType<typeof intent> => {
    const { items } = question;
    const asksForAct = items.some(
      ({ tags }) => ACTS.some((tag) => tags.includes(tag)) && !TRADES.some((tag) => tags.includes(tag)),
    );
    return asksForAct || beginsWithAct(items) || endsWithAct(items) ? undefined : intent(question);
  };

/** Returns whether a number counts days or weeks. */
const isSpan = (items: readonly Item[]) =>
  items.some(({ quantity }, at) => quantity !== undefined && items[at + 1]?.tags.includes('span'));

/** Returns the sizes in a question. Undefined if a number can't be read, or counts days or weeks. */
function sizesIn(items: readonly Item[]): readonly Size[] | undefined {
  if (items.some(({ quantity }, at) => quantity !== undefined && items[at + 1]?.tags.includes('span')))
    return undefined;
  try {
    const mentions = readMentions(items);
    return mentions.some(({ kind }) => kind === 'number')
      ? undefined
      : mentions.flatMap((one) => (one.kind === 'size' && !('vague' in one.size) ? [one.size] : []));
  } catch (error) {
    if (error instanceof NotUnderstoodError) return undefined;
    throw error;
  }
}

/** Returns the only number in a question. Undefined if it is a percentage, or counts days or weeks. */
function onlyNumber(items: readonly Item[]): Item | undefined {
  const [item, ...more] = items.filter(({ quantity }) => quantity !== undefined);
  const isAmount = item?.quantity?.isBad === false && item.quantity.unit !== 'percent';
  return isAmount && more.length === 0 && !isSpan(items) ? item : undefined;
}

/** Words before an amount to spend: "how many KO could I get for 2000". */
const PAYS = /\b(?:with|for|from|w|has|have)$/;

/** Returns the dollars, or the part of the cash, that a question spends. Undefined if another number is in it. */
function spentIn({ items }: Question): Partial<FigureIntent> | undefined {
  const number = onlyNumber(items);
  const isPaid = number !== undefined && PAYS.test(items[items.indexOf(number) - 1]?.lower ?? '');
  if (number?.quantity !== undefined && (isPaid || number.quantity.unit === 'dollars'))
    return { amount: number.quantity.value };
  const [size, ...more] = sizesIn(items) ?? [{ vague: true }];
  if (more.length > 0) return undefined;
  if (size === undefined) return {};
  if ('notional' in size) return { amount: size.notional };
  if ('cash' in size) return { fraction: size.cash };
  return 'fraction' in size && size.fraction === '1' ? {} : undefined;
}

/** Returns the trade that a question supposes: "if I sold half my KO". */
function tradeIn({ items, has }: Question): Partial<FigureIntent> | undefined {
  const side = has('sells') || has('sold') || has('proceeds') ? ('sell' as const) : ('buy' as const);
  const sizes = sizesIn(items) ?? [];
  // In "one whole bitcoin", "whole" is no second size. In "would I have $500 left after buying 2 KO", $500 is none.
  const isCounted = sizes.some((one) => 'qty' in one);
  const counted = sizes.filter((one) => !('fraction' in one && one.isAll) && !(isCounted && 'notional' in one));
  const [size, ...more] = counted.length === 0 ? sizes : counted;
  if (more.length > 0) return undefined;
  if (size === undefined) return side === 'sell' ? { side } : undefined;
  if ('qty' in size) return { side, qty: size.qty };
  if ('notional' in size) return { side, amount: size.notional };
  return 'fraction' in size && side === 'sell' ? { side, fraction: size.fraction } : undefined;
}

/** Returns the dollars to raise by a sale, or the cash to have after it. */
function raisedIn({ items }: Question): Partial<FigureIntent> | undefined {
  const number = onlyNumber(items);
  const amount = number?.quantity?.value;
  if (number === undefined || amount === undefined) return undefined;
  const isAfter = items[items.indexOf(number) - 1]?.lower.endsWith('have') === true;
  return isAfter || items.some(({ tags }) => tags.includes('have_after')) ? { amount, isTarget: true } : { amount };
}

/** Topics that are read only in a whole sentence. */
export const figureQuestions: readonly PlannedAnswer[] = [
  {
    say: 'quote AAPL',
    when: '9.5 bid_ask+symbol+asks',
    intent: unlessRequested(({ symbols }) => ({ kind: 'quote', symbols })),
  },
  {
    say: 'has my AAPL order filled',
    when: '9.35 partial+order_word+symbol+asks, 9.21 execution+order_word+symbol+asks+!when+!explain+!number_of+!cash+!what_price, 9.31 how_far+order_word+symbol+!extreme, 9.21 why+order_word+symbol+pending',
    intent: unlessRequested(ofSymbol('progress')),
  },
  {
    say: 'why was my order rejected',
    when: '9.32 rejected+order_word+asks+!cash, 9.32 rejected+order_word+why',
    intent: unlessRequested(computed('rejected')),
  },
  {
    say: 'cash that no open order needs',
    when: '9.35 committed+cash+asks, 9.35 committed+money+asks',
    intent: unlessRequested((question) => (question.symbols.length > 0 ? undefined : computed('free_cash')(question))),
  },
  {
    say: 'cash after open orders',
    when: '9.4 execution+order_word+cash+condition+!wants_count, 9.4 execution+order_word+money+condition, 9.41 hypothetical_fill+cash, 9.41 hypothetical_fill+money',
    intent: unlessRequested(computed('cash_after')),
  },
  {
    say: 'how many AAPL can I buy',
    when: '9.25 wants_count+symbol+purchasable+!sells+!dividend+!order, 9.25 how_much+symbol+purchasable+!sells+!dividend+!order, 9.25 wants_count+symbol+cash+!own+!sells+!order, 9.25 wants_count+symbol+buys+can_i+!sells+!order, 9.25 wants_count+symbol+dollars+!sells+!past+!dividend+!order',
    intent: unlessRequested(ofSymbol('affordable', spentIn)),
  },
  {
    say: 'how many AAPL must I sell for $500',
    when: '9.26 wants_count+symbol+number+must_sell',
    intent: unlessRequested(ofSymbol('raise', raisedIn)),
  },
  {
    say: 'can I afford 5 AAPL?',
    when: '9.28 enough_cash+symbol+number+asks, 9.315 more_needed+cost_of+symbol+number+asks, 9.27 cash+symbol+supposed+!dividend+!order+!wants_count, 9.27 cash_left+symbol+supposed+!dividend+!order, 9.27 hypothetical+cash+symbol, 9.27 hypothetical+money+symbol+!gain, 9.27 proceeds+symbol+sells+!gain, 9.27 proceeds+symbol+number+!gain',
    intent: unlessRequested(ofSymbol('trade', tradeIn)),
  },
  {
    say: 'what would 5 AAPL cost?',
    when: '9.15 cost_of+symbol+number+asks+!sells+!past+!order_type+!extreme+!period',
    intent: unlessRequested((question) => {
      const trade = tradeIn(question);
      const symbol = onlySymbol(question);
      return trade?.qty === undefined || symbol === undefined
        ? undefined
        : { kind: 'quote', symbols: [symbol], qty: trade.qty };
    }),
  },
  {
    say: 'does my buying power include margin',
    when: '9.33 buying_power+same_as+asks+!symbol, 9.33 margin+cash+asks+!symbol+!no_margin, 9.22 margin+mine+asks+!symbol+!trade+!no_margin',
    intent: unlessRequested(() => ({ kind: 'computed', figure: 'margin' })),
  },
  {
    say: 'day trading',
    when: '9.34 day_trading+asks+!symbol',
    missing: [
      phrase`I don't have your broker's count of day trades, so I can't tell whether it would flag the account.`,
      phrase`A day trade buys and sells the same security on one day. US brokers may restrict margin accounts that make several within five business days; ask yours. "my trades" lists yours.`,
    ],
  },
];

/** Topics that are also read in a part of a sentence. */
export const figurePartQuestions: readonly PlannedAnswer[] = [
  {
    say: 'how far is AAPL from my order',
    when: '9.23 how_far+symbol+order+!extreme, 9.23 how_far+symbol+mine+!extreme+!basis',
    intent: ofSymbol('progress'),
  },
  {
    say: 'high and low of AAPL this month',
    when: '9.06 extreme+symbol+period+!LY+!will+!traded+!alert, 9.06 year_range+symbol+!LY+!will+!traded+!alert, 9.06 extreme+how_far+symbol+!alert, 9.05 extreme+symbol+today+asks+!will+!traded+!alert',
    intent: ofSymbol('extremes', ({ items, period, has }) => ({
      days:
        has('today') && period === undefined && !has('year_range')
          ? 1
          : has('year_range') || period === undefined
            ? 365
            : daysOf(items, period, has),
      // Days can't express where a month or a year begins.
      ...(period === 'MTD' || period === 'YTD' ? { period } : {}),
    })),
  },
  {
    say: 'why was it rejected',
    when: '8.3 rejected+why+!symbol+!trade+!deposits, 8.29 rejected+asks+!symbol+!trade+!deposits',
    intent: computed('rejected'),
  },
  {
    say: 'the account number',
    when: '8.6 account_number',
    intent: () => [{ kind: 'whoami' }, { kind: 'portfolio', view: 'number' }],
  },
  {
    say: 'chart AAPL',
    when: '7.4 yesterday+gain+mine+!traded+!symbol+!today+!fees+!dividend, 7.4 yesterday+performance+mine+!symbol+!today, 7.4 yesterday+symbol+moved+!today+!traded+!compare, 7.4 yesterday+symbol+quote+!today+!traded+!compare+!mine, 7.39 weekday+past+symbol+moving+!traded+!mine+!today+!compare, 7.39 weekday+past+gain+mine+!traded+!symbol+!today+!fees+!dividend+!hours',
    intent: ({ symbols }) => symbols.map((symbol) => ({ kind: 'chart', symbol, days: 7 })),
    missing: [
      phrase`I don't have the change of a single past day.`,
      phrase`I can show today’s change ("how much did I make today") and the last week’s ("my performance this week").`,
    ],
  },
  {
    say: 'my gain on AAPL this month',
    when: '6.9 period+symbol+made+mine, 6.9 period+symbol+profit+mine, 6.9 period+my_symbol+gain+asks',
    intent: ofSymbol('gain', ({ period }) => defined({ period })),
  },
];
