import type { OrderType, Side, TimeInForce } from '../../trading/order.ts';
import type { OrderClass, PositionIntent } from '../../trading/order-classes.ts';
import { defined } from '../../values/defined.ts';
import { CONTRACT_RULE, findPositionIntents, matchesContract } from './contract-mention.ts';
import { parseNewestTurn } from './conversation.ts';
import { fillFrame, type OrderFrame, sideOf } from './frame.ts';
import {
  type Intent,
  isUnresolvedName,
  type OrderIntent,
  type ScheduleMention,
  type StandingOrderIntent,
} from './intent.ts';
import { readTerms } from './order-terms.ts';
import { type ReadClause, readClauses } from './read.ts';
import { NotUnderstoodError } from './refusal.ts';
import type { Mention } from './slots.ts';
import { findSymbol, NAME_RULE, type NameSearchResult } from './symbols-by-name.ts';

/*
 * Returns the fields of an order that are in the person's own words. If a sentence makes a request, they are the fields
 * of its intents. Otherwise, they are the slots that its words fill. Words that fill no slot count as not said. For a
 * field that the person did not mention, the phone shows who chose it.
 */

interface NumberMention {
  readonly value: string;
  readonly fields: readonly string[];
}

/** Everything that one turn says about orders for one symbol. */
export interface Utterance {
  readonly symbol: boolean;
  /** Name of the rule that finds the symbol if the words don't contain it. */
  readonly symbolBy?: string;
  readonly sides: readonly Side[];
  readonly intents: readonly PositionIntent[];
  readonly types: readonly OrderType[];
  /** The order classes that the words can mean, one for each reading. */
  readonly classes: readonly OrderClass[];
  readonly times: readonly TimeInForce[];
  readonly extendedHours: boolean;
  readonly numbers: readonly NumberMention[];
  /** Fractions of a position: `"0.5"` for half. */
  readonly fractions: readonly string[];
}

const exitPrices = ['take_profit_limit_price', 'stop_loss_stop_price', 'stop_loss_limit_price'];
const prices = ['limit_price', 'stop_price', ...exitPrices];
const trails = ['trail_price', 'trail_percent', 'trail'];
const amountFields = ['qty', 'notional', ...prices, ...trails];

/**
 * Returns the newest turn's meaning for orders of a symbol, one reading per order.
 * @param turns the person's own turns, newest last; "the same for KO" refers to earlier turns
 * @param names resolved names
 * @returns at least one reading
 */
export function parseUtterances(
  turns: readonly string[],
  symbol: string,
  names: readonly NameSearchResult[] = [],
): Utterance[] {
  const turn = turns.at(-1) ?? '';
  const { parsed, accepted } = parseNewestTurn(turns);
  // The turn is only a "yes" to a spelling question, so it says nothing about an order.
  if (accepted !== undefined) return [emptyUtterance];
  const orders = 'intents' in parsed ? parsed.intents.flatMap(ordersOf) : [];
  if (orders.length === 0) return [readSlots(turn, symbol)];
  const ours = orders.filter((order) => {
    const ticker = resolveTicker(String(order.request.symbol), names);
    const contract = order.kind === 'order' ? order.contract : undefined;
    return contract === undefined ? ticker === symbol : matchesContract(symbol, ticker, contract);
  });
  return ours.length === 0 ? [emptyUtterance] : ours.map((order) => readIntent(order, turn, symbol));
}

type AnyOrder = OrderIntent | StandingOrderIntent;

/** Returns the orders that an intent names, without the sizes that depend on the account or the market. */
function ordersOf(intent: Intent): AnyOrder[] {
  switch (intent.kind) {
    case 'order':
    case 'standing':
      return [intent];
    case 'swap':
      return [intent.sale, { kind: 'order', request: { symbol: intent.symbol, side: 'buy' } }];
    case 'target': {
      const side = intent.side === undefined ? {} : { side: intent.side };
      return [{ kind: 'order', request: { symbol: intent.symbol, ...side } as OrderIntent['request'] }];
    }
    default:
      return [];
  }
}

function resolveTicker(said: string, names: readonly NameSearchResult[]): string | undefined {
  if (!isUnresolvedName(said)) return said;
  // If the name was not looked up, because a model chose the symbol, the word counts only if it is the ticker itself.
  return findSymbol(said, names) ?? said.toUpperCase();
}

const emptyUtterance: Utterance = {
  symbol: false,
  sides: [],
  intents: [],
  types: [],
  classes: [],
  times: [],
  extendedHours: false,
  numbers: [],
  fractions: [],
};

function readIntent(order: AnyOrder, turn: string, symbol: string): Utterance {
  const { request } = order;
  const { fraction } = order;
  const contract = order.kind === 'order' ? order.contract : undefined;
  const numbers = amountFields.flatMap((field) => {
    const value = (request as Record<string, unknown>)[field];
    return typeof value === 'string' ? [{ value, fields: [field] }] : [];
  });
  const type = request.type ?? 'market';
  const said = String(request.symbol);
  const isByName = isUnresolvedName(said) && said.toUpperCase() !== symbol;
  const computed = contract !== undefined ? CONTRACT_RULE : isByName ? NAME_RULE : undefined;
  return {
    symbol: true,
    ...defined({ symbolBy: computed }),
    sides: [request.side].filter((side) => side !== undefined),
    intents: request.position_intent === undefined ? [] : [request.position_intent],
    types: type !== 'market' || /\b(?:market|mkt)\b/i.test(turn) ? [type] : [],
    classes: request.order_class === undefined ? [] : [request.order_class],
    times: request.time_in_force === undefined ? [] : [request.time_in_force],
    extendedHours: request.extended_hours === true,
    numbers,
    fractions: fraction === undefined ? [] : [fraction],
  };
}

/** A part of a clause, with the symbols and the side that its slots are about. */
interface Segment {
  readonly symbols: readonly string[];
  readonly sides: readonly Side[];
  readonly mentions: readonly Mention[];
}

const NEGATION = /^(?:don'?t|do not|never|not|no|without|except|unless|instead)$/i;
const isNegated = ({ mentions }: ReadClause) =>
  mentions.some((one) => one.kind === 'word' && (NEGATION.test(one.text) || one.item.tags.includes('negation')));

function segmentsOf(turn: string): Segment[] {
  let before: readonly Side[] = [];
  return readClauses(turn)
    .filter((clause) => !isNegated(clause))
    .flatMap(({ mentions }) => {
      const frame = fillFrame(mentions);
      const side = sideOf(frame);
      const own = unique([...(side === undefined ? [] : [side]), ...otherSides(frame)]);
      if (own.length > 0) before = own;
      const aside = frame.unread.flatMap((one) =>
        one.kind === 'word' && one.item.ticker !== undefined
          ? [one.item.ticker]
          : one.kind === 'asset'
            ? [one.symbol.toUpperCase()]
            : [],
      );
      const watched = mentions.flatMap((one) => (one.kind === 'when' && one.of !== undefined ? [one.of] : []));
      const capitals = (symbols: readonly string[]) => {
        const tickers = symbols.filter((symbol) => !isUnresolvedName(symbol));
        return tickers.length > 0 ? tickers : symbols.map((symbol) => symbol.toUpperCase());
      };
      const parts = frame.parts.map((part) => ({
        symbols: capitals([
          ...(part.assets.length > 0 ? part.assets.map(({ symbol }) => symbol) : watched),
          ...(frame.parts.length === 1 ? aside : []),
        ]),
        sides: before,
        mentions: [...frame.shared, ...sizeMention(part), ...part.terms],
      }));
      const left = frame.unread.filter(({ kind }) => kind !== 'word');
      return parts.length > 0
        ? [...parts, { symbols: [], sides: [], mentions: left }]
        : [{ symbols: capitals([...aside, ...watched]), sides: before, mentions: [...frame.shared, ...left] }];
    });
}

const otherSides = ({ unread }: OrderFrame): Side[] =>
  unread.flatMap((one) =>
    one.kind === 'act' ? [['sell', 'trim', 'close', 'leave'].includes(one.act) ? 'sell' : 'buy'] : [],
  );

const sizeMention = ({ size, sizeText }: OrderFrame['parts'][number]): Mention[] =>
  size === undefined ? [] : [{ kind: 'size', size, text: sizeText }];

function readSlots(turn: string, symbol: string): Utterance {
  const segments = segmentsOf(turn);
  const concern = segments.filter(({ symbols }) => symbols.length === 0 || symbols.includes(symbol));
  const mentions = concern.flatMap((one) => one.mentions);
  const terms = concern.flatMap(termsOf);
  return {
    symbol: segments.some(({ symbols }) => symbols.includes(symbol)),
    sides: unique(concern.flatMap(({ sides }) => sides)),
    intents: findPositionIntents(turn.toLowerCase().split(/\s+/)),
    types: unique(terms.flatMap(({ type }) => type)),
    classes: unique(terms.flatMap(({ classes }) => classes)),
    times: unique(mentions.flatMap((one) => (one.kind === 'time' ? [one.time] : []))),
    extendedHours: mentions.some(({ kind }) => kind === 'extended'),
    numbers: mentions.flatMap(numbersIn),
    fractions: unique(
      mentions.flatMap((one) => (one.kind === 'size' && 'fraction' in one.size ? [one.size.fraction] : [])),
    ),
  };
}

/** Returns the order type and class that a segment's terms imply, if any. */
function termsOf({ mentions, sides }: Segment): { type: OrderType[]; classes: OrderClass[] } {
  const isTerm = mentions.some(({ kind }) => kind === 'price' || kind === 'trail' || kind === 'type');
  const [side] = sides;
  if (!isTerm) return { type: [], classes: [] };
  try {
    const { fields } = readTerms(mentions, side ?? 'buy', false);
    const order_class = fields.order_class as OrderClass | undefined;
    const type = fields.type as OrderType;
    const isSaid = type !== 'market' || mentions.some((one) => one.kind === 'type' && one.type === 'market');
    return { type: isSaid ? [type] : [], classes: order_class === undefined ? [] : [order_class] };
  } catch (error) {
    if (error instanceof NotUnderstoodError) {
      return { type: mentions.some(({ kind }) => kind === 'trail') ? ['trailing_stop'] : [], classes: [] };
    }
    throw error;
  }
}

function numbersIn(mention: Mention): NumberMention[] {
  switch (mention.kind) {
    case 'size': {
      const { size } = mention;
      if ('qty' in size) return [{ value: size.qty, fields: size.isScaled && !size.isShares ? amountFields : ['qty'] }];
      if ('notional' in size)
        return [{ value: size.notional, fields: ['notional', ...prices, 'trail_price', 'trail'] }];
      return 'fraction' in size ? percentOf(mention.text) : [];
    }
    case 'price':
      return [{ value: mention.value, fields: priceFields[mention.role] ?? prices }];
    case 'trail':
      return [{ value: mention.value, fields: [mention.field, 'trail'] }];
    case 'when':
      // The price of a condition is in the person's words, but it is not a field of the order.
      return [mention.when.below, mention.when.above, mention.when.reaches].flatMap((value) =>
        value === undefined ? [] : [{ value, fields: [] }],
      );
    case 'number':
      return [{ value: mention.quantity.value, fields: amountFields }];
    default:
      return [];
  }
}

const priceFields: Readonly<Record<string, readonly string[]>> = {
  stop: ['stop_price', 'stop_loss_stop_price'],
  stop_loss: ['stop_price', 'stop_loss_stop_price'],
  profit: ['take_profit_limit_price', 'limit_price'],
  to: amountFields,
};

const percentOf = (text: string): NumberMention[] => {
  const value = /(\d+(?:\.\d+)?) ?(?:%|percent)/.exec(text)?.[1];
  return value === undefined ? [] : [{ value, fields: ['trail_percent', 'trail', 'max_slippage'] }];
};

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}

/** The time at which one of a turn's orders is to be placed, with its symbol and account. */
export interface TimedUtterance {
  readonly when: ScheduleMention;
  readonly symbol?: string;
  readonly account?: string;
  /** The number of shares or dollars. */
  readonly size?: string;
}

/** Returns both sides for "hits 200", because the words don't say whether the price is above or below 200 now. */
function bothSides({ reaches, ...when }: ScheduleMention): ScheduleMention {
  return reaches === undefined ? when : { ...when, below: reaches, above: reaches };
}

/** Returns the schedules of the newest turn's standing orders or, if it makes no request, of its clauses. */
export function readSchedules(turns: readonly string[]): TimedUtterance[] {
  const { parsed, accepted } = parseNewestTurn(turns);
  if (accepted !== undefined) return [];
  if ('intents' in parsed) {
    return parsed.intents.flatMap((intent) =>
      intent.kind === 'standing'
        ? [
            {
              when: bothSides(intent.when),
              symbol: String(intent.request.symbol),
              ...defined({ account: intent.account, size: intent.request.qty ?? intent.request.notional }),
            },
          ]
        : [],
    );
  }
  return readClauses(turns.at(-1) ?? '').flatMap((clause) => {
    const when = clause.mentions.flatMap((one) => (one.kind === 'when' ? [one] : []));
    if (when.length === 0 || isNegated(clause)) return [];
    const symbol =
      when.find(({ of }) => of !== undefined)?.of ?? clause.mentions.find((one) => one.kind === 'asset')?.symbol;
    return [
      {
        when: bothSides(Object.assign({}, ...when.map((one) => one.when))),
        ...defined({ symbol, account: clause.account }),
      },
    ];
  });
}

/** Maximum number of orders to count: the gateway's default limit on open proposals of our own client. */
const MAX_NAMED_ORDERS = 20;

/** Returns how many orders, cancellations and messages the newest turn names, up to {@link MAX_NAMED_ORDERS}. */
export function countNamedOrders(userTurns: readonly string[]): number {
  const { parsed } = parseNewestTurn(userTurns);
  const acts = ['order', 'standing', 'swap', 'target', 'send', 'cancel', 'replace'];
  const named =
    'intents' in parsed
      ? parsed.intents.filter(({ kind }) => acts.includes(kind)).length
      : countParts(userTurns.at(-1) ?? '');
  return Math.min(named, MAX_NAMED_ORDERS);
}

/** Counts the orders in a sentence that makes no request: one for each symbol of each part that has a side. */
function countParts(turn: string): number {
  return segmentsOf(turn).reduce((sum, { sides, symbols, mentions }) => {
    const counts = sides.length > 0 && (symbols.length > 0 || mentions.some(({ kind }) => kind === 'size'));
    return sum + (counts ? Math.max(1, symbols.length) : 0);
  }, 0);
}

export function findNamedOrders(userTurns: readonly string[]): { readonly side: Side; readonly symbol: string }[] {
  const { parsed } = parseNewestTurn(userTurns);
  if ('intents' in parsed) {
    return parsed.intents.flatMap((intent) => {
      const symbol = intent.kind === 'order' ? String(intent.request.symbol) : '';
      return intent.kind === 'order' && symbol !== '' && !isUnresolvedName(symbol)
        ? [{ side: intent.request.side, symbol }]
        : [];
    });
  }
  const said = segmentsOf(userTurns.at(-1) ?? '').flatMap(({ sides, symbols }) =>
    // A clause that names both buying and selling is ambiguous.
    sides.length === 1 ? symbols.map((symbol) => ({ side: sides[0] as Side, symbol })) : [],
  );
  return said.filter(
    ({ side, symbol }, at) => said.findIndex((one) => one.side === side && one.symbol === symbol) === at,
  );
}
