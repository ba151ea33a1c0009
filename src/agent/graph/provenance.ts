import { printableAscii } from '../../text/invisible.ts';
import { safeLine } from '../../text/sanitize.ts';
import type { AccountEntry } from '../../trading/account-entry.ts';
import { Dec, decimalString, toPlain } from '../../trading/decimal.ts';
import { describePositionFraction, type HeldQuantity, sharesForFraction } from '../../trading/portfolio/allocation.ts';
import type { ProposalKind, Provenance } from '../../trading/proposal.ts';
import { parseNewestTurn } from '../reader/conversation.ts';
import { type CancelIntent, isUnresolvedName, type OrderReference, type ReplaceIntent } from '../reader/intent.ts';
import { hasTraits, type KnownOrder, traitsOf } from '../reader/order-traits.ts';
import { findSymbol, type NameSearchResult } from '../reader/symbols-by-name.ts';
import { parseUtterances, type Utterance } from '../reader/utterance.ts';

type Field = Provenance['fields'][string];

/** Facts that decide the provenance of a proposal's fields. They come from our code, never from a model's claims. */
export interface ProvenanceInput {
  readonly kind: ProposalKind;
  readonly request: Readonly<Record<string, unknown>>;
  /** The person's own prompts, newest last, without standard input. */
  readonly userTurns: readonly string[];
  /** Source of the fields that the person did not specify: `model`, or a tool's name. */
  readonly from: string;
  /** Names of the outside sources whose text is in the conversation, such as `standard input`. */
  readonly taintedBy: readonly string[];
  /** Default values of the schema and the profile, which the person does not have to specify. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** For each field that our code computed, the name of the rule that computed it. */
  readonly computed?: Readonly<Record<string, string>>;
  readonly positions?: ReadonlyMap<string, HeldQuantity>;
  readonly names?: readonly NameSearchResult[];
  /** The account that the request names. The person may have used its number, broker or label. */
  readonly account?: AccountEntry;
  readonly openOrders?: readonly OpenOrder[];
}

const MAX_SENTENCE_LENGTH = 500;
const MAX_SOURCE_LENGTH = 80;
const MAX_TAINTS = 10;

/** Numeric fields, most specific first. Numbers in the person's words are matched with the fields in this order. */
const numberFields = [
  'take_profit_limit_price',
  'stop_loss_stop_price',
  'stop_loss_limit_price',
  'limit_price',
  'stop_price',
  'trail_percent',
  'trail_price',
  'trail',
  'max_slippage',
  'notional',
  'qty',
];

/**
 * Fields whose values are words. Each entry has the field's name, a function that returns the values that the person's
 * words express, and whether the field is undecided if there are several such values.
 */
const wordFields: readonly (readonly [string, (said: Utterance) => readonly unknown[], boolean])[] = [
  ['side', ({ sides }) => sides, true],
  ['position_intent', ({ intents }) => intents, true],
  ['type', ({ types }) => types, false],
  ['order_class', ({ classes }) => classes, false],
  ['time_in_force', ({ times }) => times, false],
  ['extended_hours', ({ extendedHours }) => (extendedHours ? [true] : []), false],
];

/**
 * Returns the source of each proposal field. The source is `user` only if the value is in the person's own words.
 * The newest turn that mentions a field decides, so "no, make it 3" overrides an earlier 5.
 */
export function computeProvenance(input: ProvenanceInput): Provenance {
  const found = input.kind === 'order' || input.kind === 'replace' ? orderSources(input) : literalSources(input);
  const fields: Record<string, Field> = {};
  const named = accountSource(input);
  for (const [name, value] of Object.entries(input.request)) {
    if (value === undefined) continue;
    fields[name] = (name === 'account' ? named : undefined) ?? found.fields[name] ?? unsaidSource(input, name, value);
  }
  const tainted = [...new Set(input.taintedBy.map(printable).filter((name) => name !== ''))];
  const sentence = sanitizedSentence(input.userTurns[found.turn] ?? input.userTurns.at(-1) ?? '');
  return {
    fields,
    ...(sentence === '' ? {} : { sentence }),
    ...(tainted.length === 0 ? {} : { tainted_by: tainted.slice(0, MAX_TAINTS) }),
  };
}

function accountSource({ account, userTurns }: ProvenanceInput): Field | undefined {
  if (account === undefined) return undefined;
  const names = [account.account ?? '', account.broker, account.label].filter((name) => name !== '');
  const isSaid = userTurns.some((turn) => names.some((name) => mentions(turn, name)));
  return isSaid ? { source: 'user' } : undefined;
}

function mentions(text: string, words: string): boolean {
  const bare = (one: string) =>
    ` ${one
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, ' ')
      .trim()
      .replace(/ account$/, '')} `;
  return bare(text).includes(bare(words));
}

interface FoundSources {
  readonly fields: Readonly<Record<string, Field>>;
  /** Index of the newest turn that supplied a field's value; -1 if no turn supplied one. */
  readonly turn: number;
}

function unsaidSource({ computed, defaults, from }: ProvenanceInput, name: string, value: unknown): Field {
  const rule = computed?.[name];
  if (rule !== undefined) return computedSource(rule);
  if (defaults !== undefined && name in defaults && isSameValue(defaults[name], value)) return { source: 'default' };
  return otherSource(from);
}

function orderSources(input: ProvenanceInput): FoundSources {
  const { request, from } = input;
  const own = input.kind === 'replace' ? openOrderSymbol(input) : String(request.symbol ?? '').toUpperCase();
  const turns = input.userTurns.map((_, at) =>
    closestReading(parseUtterances(input.userTurns.slice(0, at + 1), own, input.names), request),
  );
  const fields: Record<string, Field> = {};
  let turn = -1;
  const decide = (
    name: string,
    about: (said: Utterance) => readonly unknown[],
    stands: (said: Utterance, at: number) => boolean,
  ) => {
    const at = turns.findLastIndex((said) => about(said).length > 0);
    const said = turns[at];
    if (said === undefined) return;
    const agrees = stands(said, at);
    fields[name] = agrees ? { source: 'user' } : otherSource(from);
    if (agrees) turn = Math.max(turn, at);
  };
  decide(
    'symbol',
    (said) => (said.symbol ? [own] : []),
    () => own !== '',
  );
  for (const [name, wordsOf, isAmbiguous] of wordFields) {
    decide(name, wordsOf, (said) => {
      const found = wordsOf(said);
      return found.includes(request[name]) && !(isAmbiguous && found.length > 1);
    });
  }

  const symbolBy = turns.findLast((said) => said.symbol)?.symbolBy;
  if (fields.symbol?.source === 'user' && symbolBy !== undefined) {
    fields.symbol = computedSource(symbolBy);
  }

  const taken = new Set<unknown>();
  for (const name of numberFields.filter((field) => request[field] !== undefined)) {
    const value = name === 'max_slippage' ? asPercent(request[name]) : request[name];
    decide(
      name,
      (said) => said.numbers.filter((number) => number.fields.includes(name)),
      (said) => {
        const number = said.numbers
          .filter((each) => each.fields.includes(name) && !taken.has(each) && isSameValue(each.value, value))
          .sort((a, b) => a.fields.length - b.fields.length)[0];
        if (number === undefined) return false;
        taken.add(number);
        return true;
      },
    );
  }
  // If the person said a fraction such as "half" after any number of shares, the quantity must be that fraction of the
  // position.
  const partAt = turns.findLastIndex(({ fractions }) => fractions.length > 0);
  const qtyAt = turns.findLastIndex(({ numbers }) => numbers.some((number) => number.fields.includes('qty')));
  if (request.qty !== undefined && partAt >= 0 && partAt >= qtyAt && fields.qty?.source !== 'user') {
    const held = input.positions?.get(own);
    const fraction = turns[partAt]?.fractions.find(
      (part) => held !== undefined && isSameValue(sharesForFraction(part, held), request.qty),
    );
    if (fraction !== undefined) {
      fields.qty = computedSource(describePositionFraction(fraction));
      turn = Math.max(turn, partAt);
    } else {
      fields.qty = otherSource(from);
    }
  }
  if (input.kind === 'order') return { fields, turn };
  const id = literalSources(input);
  return { fields: { ...fields, ...id.fields }, turn: Math.max(turn, id.turn) };
}

function openOrderSymbol({ request, openOrders }: ProvenanceInput): string {
  return openOrders?.find(({ id }) => id === request.order_id)?.symbol ?? '';
}

/** Returns the reading that is most similar to the request, so that the fields of two orders are never mixed. */
function closestReading(readings: readonly Utterance[], request: Readonly<Record<string, unknown>>): Utterance {
  const likeness = (said: Utterance) =>
    said.numbers.filter(({ value, fields }) => fields.some((field) => isSameValue(request[field], value))).length * 2 +
    (said.sides.some((side) => side === request.side) ? 1 : 0);
  return readings.reduce((best, said) => (likeness(said) > likeness(best) ? said : best));
}

/** Returns the sources of the fields that must appear literally in the person's words: order ID, recipient, text. */
function literalSources(input: ProvenanceInput): FoundSources {
  const { request, userTurns } = input;
  const fields: Record<string, Field> = {};
  let turn = -1;
  for (const [name, test] of Object.entries(literalFields)) {
    const value = request[name];
    if (typeof value !== 'string') continue;
    const at = userTurns.findLastIndex((text) => test(text, value));
    if (at >= 0) fields[name] = { source: 'user' };
    turn = Math.max(turn, at);
  }
  const { order_id } = request;
  if (typeof order_id === 'string' && fields.order_id === undefined) {
    const found = openOrderSource(input, order_id);
    if (found !== undefined) return { fields: { ...fields, order_id: found.field }, turn: Math.max(turn, found.turn) };
  }
  return { fields, turn };
}

const literalFields: Readonly<Record<string, (text: string, value: string) => boolean>> = {
  order_id: hasToken,
  recipient: hasToken,
  service: (text, value) =>
    value === 'slack' ? /\bslack\b/i.test(text) : /\b(?:gmail|e-?mail|mail)\b|\S@\S+\.\S/i.test(text),
  subject: (text, value) => singleSpaced(text).includes(singleSpaced(value)),
  text: (text, value) => singleSpaced(text).includes(singleSpaced(value)),
};

/** Returns the source of an order ID that the person described in words, such as "my last AAPL order". */
function openOrderSource(
  { userTurns, openOrders = [], names = [] }: ProvenanceInput,
  id: string,
): { field: Field; turn: number } | undefined {
  const order = openOrders.find((open) => open.id === id);
  if (order === undefined) return undefined;
  for (let turn = userTurns.length - 1; turn >= 0; turn -= 1) {
    const { parsed } = parseNewestTurn(userTurns.slice(0, turn + 1));
    for (const intent of 'intents' in parsed ? parsed.intents : []) {
      const rule =
        intent.kind === 'cancel' || intent.kind === 'replace'
          ? orderRule(intent.which, order, openOrders, names)
          : undefined;
      if (rule !== undefined) return { field: computedSource(rule), turn };
    }
  }
  return undefined;
}

/**
 * Returns the name of the rule by which the person's words select the request's order. Returns undefined if they select
 * another order or none.
 */
function orderRule(
  which: (CancelIntent | ReplaceIntent)['which'],
  order: OpenOrder,
  openOrders: readonly OpenOrder[],
  names: readonly NameSearchResult[],
): string | undefined {
  if ('id' in which || 'place' in which || 'oldest' in which) return undefined;
  if ('newest' in which) return openOrders[0]?.id === order.id ? 'the newest order' : undefined;
  if ('otherThan' in which) return otherRule(which, order, openOrders, names);
  if (!hasTraits(order, which)) return undefined;
  if ('placed' in which) return placedRule(which, order, openOrders);
  const traits = Object.values(traitsOf(which))
    .map((trait) => `${trait} `)
    .join('');
  if ('all' in which) return `all open ${traits}orders`;
  if ('only' in which) {
    const isOnly = openOrders.filter((one) => hasTraits(one, which)).length === 1;
    return isOnly ? `the only open ${traits}order` : undefined;
  }
  const ordered = openOrders.map(({ symbol }) => symbol);
  const symbol = isUnresolvedName(which.symbol) ? findSymbol(which.symbol, names, ordered) : which.symbol;
  return symbol === order.symbol ? `open ${traits}${order.symbol} orders` : undefined;
}

function otherRule(
  { otherThan }: Extract<OrderReference, { otherThan: unknown }>,
  order: OpenOrder,
  openOrders: readonly OpenOrder[],
  names: readonly NameSearchResult[],
): string | undefined {
  const [kept, ...more] = openOrders.filter((one) => one !== order);
  const isOther =
    kept !== undefined && more.length === 0 && orderRule(otherThan, kept, openOrders, names) !== undefined;
  return isOther ? 'the only other open order' : undefined;
}

/** Open orders are listed from the newest to the oldest. */
function placedRule(
  { placed }: Extract<OrderReference, { placed: number }>,
  order: OpenOrder,
  openOrders: readonly OpenOrder[],
): string | undefined {
  const isMeant = openOrders.at(placed < 0 ? -placed - 1 : -placed)?.id === order.id;
  return isMeant ? `open order ${placed} by the time it was placed` : undefined;
}

type OpenOrder = { readonly id: string; readonly symbol: string } & KnownOrder;

function hasToken(text: string, value: string): boolean {
  const wanted = value.toLowerCase();
  return text
    .toLowerCase()
    .split(/[\s"'<>()]+/)
    .some((word) => word === wanted || word.replace(/[,.;:!?]+$/, '') === wanted);
}

/**
 * Returns whether the person said this note word for word. A model may put the note in quotation marks, change the case
 * of its first letter, and add a period. Otherwise, even case and punctuation must be equal.
 */
export function isDictated(userTurns: readonly string[], note: string): boolean {
  const [, words = ''] = /^["'“‘]?(.*?)[.!?]?["'”’]?[.!?]?$/su.exec(singleSpaced(note)) ?? [];
  if (words === '') return false;
  const [first = ''] = words;
  const forms = [first.toUpperCase(), first.toLowerCase()].map((letter) => `${letter}${words.slice(first.length)}`);
  return userTurns.some((turn) => forms.some((form) => hasWholeWords(singleSpaced(turn), form)));
}

function hasWholeWords(text: string, words: string): boolean {
  for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at + 1)) {
    const around = [text.slice(0, at).at(-1), text.slice(at + words.length).at(0)];
    if (around.every((character = ' ') => !/[\p{L}\p{N}]/u.test(character))) return true;
  }
  return false;
}

function singleSpaced(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}

/** Returns the source of a field that our code computed. The gateway accepts only a short rule in printable ASCII. */
export function computedSource(rule: string): Field {
  return { source: 'computed', from: printable(rule) };
}

function otherSource(from: string): Field {
  const name = printable(from);
  return name === '' ? { source: 'other' } : { source: 'other', from: name };
}

/** Compares numbers by value, so that `5` equals `5.0`. */
function isSameValue(one: unknown, two: unknown): boolean {
  if (one === two) return one !== undefined;
  if (typeof one !== 'string' || typeof two !== 'string') return false;
  const decimals = [one, two].every((text) => decimalString.safeParse(text).success);
  return decimals && new Dec(one).eq(two);
}

function asPercent(fraction: unknown): unknown {
  const parsed = decimalString.safeParse(fraction);
  return parsed.success ? toPlain(new Dec(parsed.data).times(100)) : fraction;
}

function printable(text: string): string {
  return printableAscii(text, MAX_SOURCE_LENGTH);
}

/** Reduces a turn to one line without invisible or direction-changing characters. */
function sanitizedSentence(turn: string): string {
  // Avoids cutting a surrogate pair in half.
  return safeLine(turn)
    .slice(0, MAX_SENTENCE_LENGTH)
    .replace(/[\ud800-\udbff]$/, '')
    .trimEnd();
}
