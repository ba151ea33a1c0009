/* Long because the templates of slots are one table: of those that match, the longest wins. */
import { Dec, toPlain } from '../../trading/decimal.ts';
import type { OrderType, TimeInForce } from '../../trading/order.ts';
import type { ScheduleMention } from './intent.ts';
import type { Item, Quantity } from './item.ts';
import { isAsset, matchAt, type TemplateMatch } from './match.ts';
import type { RelativePrice } from './relative-price.ts';
import { endOf, recurrenceOf, timeOf } from './times.ts';

/**
 * How much to trade. `keep` is the number of shares in the position after the order, `cash` is a part of the account's
 * cash, and `equity` is a part of the account's value.
 */
export type Size =
  | { readonly qty: string; readonly isShares: boolean; readonly isOf: boolean; readonly isScaled: boolean }
  | { readonly notional: string }
  /** If `isAdded` is true, the part of the position is bought in addition: "double my KO". */
  | { readonly fraction: string; readonly isAll: boolean; readonly isAdded?: true }
  /** `isExcept`: preceding words mean the whole position. `isTarget`: a purchase brings the position to `keep`. */
  | { readonly keep: string; readonly isTarget?: true; readonly isExcept?: true }
  | { readonly cash: string }
  | { readonly equity: string }
  | { readonly vague: true };

export type PriceRole =
  | 'limit'
  | 'at'
  | 'for'
  | 'most'
  | 'least'
  | 'below'
  | 'above'
  | 'stop'
  | 'stop_loss'
  | 'profit'
  | 'falls_by'
  | 'rises_by'
  | 'to';

export type Act =
  | 'buy'
  | 'invest'
  | 'add'
  | 'grow'
  | 'get'
  | 'sell'
  | 'trim'
  | 'close'
  | 'leave'
  | 'protect'
  | 'place'
  | 'short';

/** A run of items that fills one slot of an order. The kind `word` fills no slot, so the planner does nothing. */
export type Mention = { readonly text: string } & (
  | { readonly kind: 'act'; readonly act: Act }
  | { readonly kind: 'size'; readonly size: Size }
  | { readonly kind: 'asset'; readonly symbol: string; readonly isMine: boolean; readonly isPosition: boolean }
  | { readonly kind: 'ref' }
  | {
      readonly kind: 'price';
      readonly role: PriceRole;
      readonly value: string;
      readonly perShare: boolean;
      readonly isDollars: boolean;
      /** If `relative` is defined, `value` is unused. */
      readonly relative?: RelativePrice;
    }
  | { readonly kind: 'trail'; readonly field: 'trail_percent' | 'trail_price'; readonly value: string }
  | {
      readonly kind: 'type';
      readonly type:
        | 'market'
        | 'limit'
        | 'stop'
        | 'stop_loss'
        | 'stop_with_limit'
        | 'trailing'
        | 'bracket'
        | 'oco'
        | 'oto'
        | OrderType;
    }
  /** If `isOpenEnd` is true, the words also say that a recurring order has no end: "until I cancel it". */
  | { readonly kind: 'time'; readonly time: TimeInForce; readonly isOpenEnd?: boolean }
  | { readonly kind: 'no_end' }
  | { readonly kind: 'extended' }
  | { readonly kind: 'when'; readonly when: ScheduleMention; readonly of?: string }
  | {
      readonly kind: 'ask';
      readonly about: 'week' | 'month_day' | 'interval' | 'end' | 'near_miss';
      readonly item: string;
      readonly word?: string;
      readonly of?: string;
    }
  /** The current position: "all the shares I hold now". */
  | { readonly kind: 'now' }
  | { readonly kind: 'each' }
  /** The amount is divided into equal parts. */
  | { readonly kind: 'split' }
  | { readonly kind: 'total' }
  | { readonly kind: 'bound'; readonly bound: 'less' | 'more' }
  | { readonly kind: 'link'; readonly link: 'and' | 'comma' | 'or' }
  | { readonly kind: 'number'; readonly quantity: Quantity }
  | { readonly kind: 'word'; readonly item: Item }
);

type Bare = Mention extends infer One ? (One extends { readonly text: string } ? Omit<One, 'text'> : never) : never;
type Build = (found: TemplateMatch) => Bare | readonly Bare[] | undefined;

const firstOf = ({ quantities }: TemplateMatch): Quantity => quantities[0] as Quantity;

const sizeOf = (found: TemplateMatch): Bare => {
  const { unit, value, isScaled } = firstOf(found);
  if (unit === 'dollars') return { kind: 'size', size: { notional: value } };
  if (unit === 'percent') return fractionSize(new Dec(value).div(100));
  const isOf = ['of', 'my', 'worth'].some((tag) => found.has(tag));
  const isShares = found.has('share') || found.has('more') || found.has('another');
  // "2k worth" is dollars, because people do not count shares in this way.
  if (found.has('worth') && isScaled) return { kind: 'size', size: { notional: value } };
  return { kind: 'size', size: { qty: value, isShares, isOf, isScaled } };
};

/** Reads "on 10 of my MSFT" as a number of shares, because the words name a part of a position. */
const sharesOf = (found: TemplateMatch): Bare => ({
  kind: 'size',
  size: { qty: firstOf(found).value, isShares: true, isOf: true, isScaled: false },
});

/** Reads "ten of my forty AAPL". The second number is the position. */
function someOf(found: TemplateMatch): readonly Bare[] | undefined {
  const [some, all] = found.quantities.map(({ value }) => new Dec(value));
  const isPart = some !== undefined && all !== undefined && some.lte(all);
  return isPart ? [sharesOf(found), { ...(asset(found) as Bare & { kind: 'asset' }), isMine: true }] : undefined;
}

/** Returns the size of "I want ten of my KO sold" or "get all my KO sold". */
const soldSize = (found: TemplateMatch): Bare =>
  found.quantities[0] === undefined ? fractionSize(new Dec(1), true) : sharesOf(found);

/** Reads "x5" after a symbol as a number of shares. */
function countedOf(found: TemplateMatch): Bare | undefined {
  const quantity = found.items.find((item) => item.quantity !== undefined)?.quantity;
  return quantity === undefined
    ? undefined
    : { kind: 'size', size: { qty: quantity.value, isShares: true, isOf: false, isScaled: false } };
}

/** Reads "sell 5 of them" as a number of shares. "sell 500 of it" may also mean dollars. */
const countOf = (found: TemplateMatch): Bare =>
  found.items.some(({ tags }) => tags.includes('them')) && firstOf(found).unit === 'none'
    ? sharesOf(found)
    : sizeOf(found);

const addedPart = (found: TemplateMatch) =>
  found.quantities[0] === undefined ? partOf(found) : new Dec(firstOf(found).value).div(100);

const targetSize = (found: TemplateMatch): Bare => ({
  kind: 'size',
  size: { keep: firstOf(found).value, isTarget: true },
});

const fractionSize = (value: Dec, isAll = false): Bare => ({
  kind: 'size',
  size: { fraction: toPlain(value), isAll },
});

/** Reads "400 of my cash" as dollars. A number up to 100 may be a percentage. */
function moneyOf(found: TemplateMatch): Bare | undefined {
  const { value, unit } = firstOf(found);
  return unit === 'none' && new Dec(value).lte(100) ? undefined : { kind: 'size', size: { notional: value } };
}

/** Builds the amount to raise, and the asset to sell for it: "enough of my KO to raise $500". */
const amountOf: Build = (found) => [
  { kind: 'size', size: { notional: firstOf(found).value } },
  asset({ ...found, has: () => false }) as Bare,
];

/** Returns the size of an addition, as a multiple of the position: 1 for "double my KO". */
const addedSize = (times: number): Bare => ({
  kind: 'size',
  size: { fraction: String(times), isAll: false, isAdded: true },
});

/** Parts of a position, by meaning. */
export const fractions: Readonly<Record<string, Dec>> = {
  half: new Dec('0.5'),
  third: new Dec(1).div(3).toDecimalPlaces(9, Dec.ROUND_DOWN),
  two_thirds: new Dec(2).div(3).toDecimalPlaces(9, Dec.ROUND_DOWN),
  quarter: new Dec('0.25'),
  three_quarters: new Dec('0.75'),
  tenth: new Dec('0.1'),
  fifth: new Dec('0.2'),
};
const PART = Object.keys(fractions).join('|');
const TAIL = 'of? my? my? share|position? of? my?';

const partOf = (found: TemplateMatch): Dec => {
  const name = Object.keys(fractions).find((one) => found.has(one));
  return name === undefined ? new Dec(1) : (fractions[name] as Dec);
};

const price =
  (role: PriceRole): Build =>
  (found) => {
    const quantity = firstOf(found);
    return {
      kind: 'price',
      role,
      value: quantity.value,
      perShare: found.has('per') || found.has('each'),
      isDollars: quantity.unit === 'dollars',
    };
  };

/** Builds a price from words such as "10% below the current price": the distance and, if named, the base price. */
const distance =
  (role: PriceRole, side: RelativePrice['side'] | undefined): Build =>
  (found) => {
    const { value, unit } = quantityOf(found);
    const relative: RelativePrice = {
      by: value,
      unit: unit === 'percent' ? 'percent' : 'dollars',
      side: side ?? (found.has('below') || found.has('falls') ? 'below' : 'above'),
      ...baseOf(found),
    };
    const [of] = found.symbols;
    const price: Bare = { kind: 'price', role, value: '', perShare: false, isDollars: true, relative };
    return of === undefined ? price : [price, { kind: 'asset', symbol: of, isMine: false, isPosition: false }];
  };

const baseOf = (found: TemplateMatch): Pick<RelativePrice, 'from'> =>
  found.has('cost_price') ? { from: 'cost' } : found.has('current_price') ? { from: 'last' } : {};

const NO_DISTANCE = { value: '0', unit: 'percent' } as const;
/** Returns the distance that the words name, or else 0 percent: "falls below what I paid". */
const quantityOf = ({ quantities }: TemplateMatch) => quantities[0] ?? NO_DISTANCE;
const stopRole = (found: TemplateMatch): PriceRole => (found.has('stop_loss') ? 'stop_loss' : 'stop');

const type =
  (name: (Bare & { kind: 'type' })['type']): Build =>
  () => ({ kind: 'type', type: name });

const act =
  (name: Act): Build =>
  () => ({ kind: 'act', act: name });

const time =
  (name: TimeInForce): Build =>
  (found) => ({ kind: 'time', time: name, ...(found.has('gtc') && isOpenEnded(found) ? { isOpenEnd: true } : {}) });

const isOpenEnded = ({ items }: TemplateMatch) => items.some(({ tags }) => tags.includes('no_end'));

/** Makes the condition of an order that is placed once. "whenever it drops below 100" is not such a condition. */
const once =
  (build: Build): Build =>
  (found) => {
    const [lead] = found.items;
    return lead?.tags.includes('whenever') ? unsupported('whenever')(found) : build(found);
  };

/** Makes a question about a condition that no order can wait for: it recurs, or it is about a percentage. */
const unsupported =
  (item: 'whenever' | 'percent'): Build =>
  (found) => {
    const [of] = found.symbols;
    const word = found.items[0]?.text ?? '';
    return { kind: 'ask', about: 'near_miss', item, word, ...(of === undefined ? {} : { of }) };
  };

const crossing: Build = (found) => {
  const { value } = firstOf(found);
  const isBelow = found.has('below');
  const [of] = found.symbols;
  const isOpposite = found.has(isBelow ? 'rises' : 'falls');
  if (isOpposite) return { kind: 'ask', about: 'near_miss', item: 'contradiction' };
  return { kind: 'when', when: isBelow ? { below: value } : { above: value }, ...(of === undefined ? {} : { of }) };
};

/** Returns whether a condition is about a falling price. */
export const isBreakBelow = (found: TemplateMatch) =>
  ['below', 'post_most', 'if_below', 'breaks_below'].some((tag) => found.has(tag));

/** Reads "100ドルを下回ったら" and "跌破100美元时". The condition comes after the price, or is part of the verb. */
const breaking: Build = (found) => {
  const { value } = firstOf(found);
  const [of] = found.symbols;
  return {
    kind: 'when',
    when: isBreakBelow(found) ? { below: value } : { above: value },
    ...(of === undefined ? {} : { of }),
  };
};

/** Reads "drops to 55" as below, and "climbs to 70" as above. "hits 60" depends on the current price. */
const reaching: Build = (found) => {
  const [of] = found.symbols;
  const side = found.has('falls') ? 'below' : found.has('rises') ? 'above' : 'reaches';
  return { kind: 'when', when: { [side]: firstOf(found).value }, ...(of === undefined ? {} : { of }) };
};

const asset: Build = (found) => ({
  kind: 'asset',
  symbol: found.symbols[0] ?? '',
  isMine: found.has('my'),
  isPosition: found.has('position') || found.has('share'),
});

const AND: Bare = { kind: 'link', link: 'and' };
const namedAsset = (symbol: string): Bare => ({ kind: 'asset', symbol, isMine: false, isPosition: false });

/** The price that a distance is measured from, and the words before it. */
const BASE = 'current_price|cost_price';
const BELOW = 'below|of|from';

/** Templates of slots. The template that covers the most items wins. If there is a tie, the first one wins. */
const slots: readonly (readonly [string, Build])[] = [
  ['share|position? of|among? my? my? @ share|position?', asset],
  ['my? @ post_asset', asset],
  ['one_share my?', () => ({ kind: 'size', size: { qty: '1', isShares: true, isOf: false, isScaled: false } })],
  ['half_share my?', () => ({ kind: 'size', size: { qty: '0.5', isShares: true, isOf: false, isScaled: false } })],
  [
    'get my? my? #n|all share|position? of? my? my? sold_past',
    (found) => [{ kind: 'act', act: 'sell' }, soldSize(found)],
  ],
  [
    'get my? my? #n|all share|position? of? my? my? @ share|position? sold_past',
    (found) => [
      { kind: 'act', act: 'sell' },
      soldSize(found),
      { ...(asset(found) as Bare & { kind: 'asset' }), isMine: true },
    ],
  ],
  ['counted', countedOf],
  ['field_qty of? #n', countedOf],
  ['#n field_qty of? my? my?', countedOf],
  ['$ at my? @', (found) => [sizeOf(found), asset({ ...found, has: () => false }) as Bare]],
  ['times #n', countedOf],
  ['by? roughly? another? #n more? share? more? worth? of? my? my? share|position?', sizeOf],
  ['another share of? my?', () => ({ kind: 'size', size: { qty: '1', isShares: true, isOf: false, isScaled: false } })],
  ['for|on my? all my? #n share|position? of? my? my?', sharesOf],
  ['for|on my all? #n share|position? of? my? my?', sharesOf],
  ['for #n share of? my? my?', sharesOf],
  ['comma all my? #n share|position?', sharesOf],
  ['on #n share of? my? my?', sharesOf],
  ['on #n of my my?', sharesOf],
  ['my? roughly? another? $ more? worth? of? my? my? share|position? of?', sizeOf],
  [`by? % worth? ${TAIL}`, sizeOf],
  ['by? % field_qty', sizeOf],
  [`on % ${TAIL}`, sizeOf],
  [`on a? ${PART} ${TAIL}`, (found) => fractionSize(partOf(found))],
  [`on|for my? all ${TAIL}`, () => fractionSize(new Dec(1), true)],
  [`by? a? ${PART} ${TAIL}`, (found) => fractionSize(partOf(found))],
  [`my? all ${TAIL}`, () => fractionSize(new Dec(1), true)],
  ['my? all of? it', () => [fractionSize(new Dec(1), true), { kind: 'ref' }]],
  [`by? a? ${PART} of? it`, (found) => [fractionSize(partOf(found)), { kind: 'ref' }]],
  ['% of? it', (found) => [sizeOf(found), { kind: 'ref' }]],
  ['#n more? share? of? it', (found) => [countOf(found), { kind: 'ref' }]],
  [
    '% of? my? my? cash of?',
    (found) => ({ kind: 'size', size: { cash: toPlain(new Dec(firstOf(found).value).div(100)) } }),
  ],
  [`a? ${PART} of? my? my? cash of?`, (found) => ({ kind: 'size', size: { cash: toPlain(partOf(found)) } })],
  ['my? all of? my? my? cash of?', () => ({ kind: 'size', size: { cash: '1' } })],
  [
    'my? all_but #n share? of? my? share|position?',
    (found) => ({ kind: 'size', size: { keep: firstOf(found).value } }),
  ],
  ['to #n share of? my?', (found) => ({ kind: 'size', size: { keep: firstOf(found).value } })],
  [
    'take $|#n share? worth? out_of my? my? @ share|position?',
    (found) => [
      { kind: 'act', act: 'sell' },
      sizeOf(found),
      { ...(asset(found) as Bare & { kind: 'asset' }), isMine: true },
    ],
  ],
  ['take $ of? my? my? cash?', sizeOf],
  [
    'place #n|$ of my? my? cash of|for|on?',
    (found) => {
      const size = moneyOf(found);
      return size === undefined ? undefined : [{ kind: 'act', act: 'invest' }, size];
    },
  ],
  ['take|with? #n|$ of my? my? cash of?', moneyOf],
  // Without a sale before it, the proceeds are the money that was named.
  ['take|with my? $ of? my? my? cash? proceeds', (found) => [{ kind: 'act', act: 'invest' }, sizeOf(found)]],
  ['with my? $', sizeOf],
  [
    '#n share? out_of my my? @ share|position?',
    (found) => [sharesOf(found), { ...(asset(found) as Bare & { kind: 'asset' }), isMine: true }],
  ],
  ['#n share? of|out_of my my? #n share? of? my? @ share|position?', someOf],
  ['#n share? of? my? @ share? out_of my my? #n share?', someOf],
  ['keep #n share? of? it? remains?', (found) => ({ kind: 'size', size: { keep: firstOf(found).value } })],
  ['except #n share? of? it?', (found) => ({ kind: 'size', size: { keep: firstOf(found).value, isExcept: true } })],
  ['double', () => [{ kind: 'act', act: 'grow' }, addedSize(1)]],
  ['triple', () => [{ kind: 'act', act: 'grow' }, addedSize(2)]],
  [
    'same_amount share? of? my? @ share? as_held',
    (found) => [addedSize(1), asset({ ...found, has: () => false }) as Bare],
  ],
  [
    'all_in',
    () => [
      { kind: 'act', act: 'invest' },
      { kind: 'size', size: { cash: '1' } },
    ],
  ],
  ['enough of? my? share? of? my? @ share? raise roughly? my? $ worth? of? cash?', amountOf],
  ['enough share? of? my? @ share? as $ would? covers|buy|get', amountOf],
  [
    'need_money roughly? $ worth? of? cash? out_of my? my? @ share|position? comma? just_do?',
    (found) => [
      { kind: 'act', act: 'sell' },
      sizeOf(found),
      { ...(asset(found) as Bare & { kind: 'asset' }), isMine: true },
    ],
  ],
  ['raise $ worth? of? cash? of|out_of? my? my? @ share?', amountOf],
  ['enough of? my? share? of? my? @ share? so_that $ worth? of? cash?', amountOf],
  [
    `grow my? my? @ share|position? by %|${PART}`,
    (found) => [
      { kind: 'act', act: 'grow' },
      { kind: 'size', size: { fraction: toPlain(addedPart(found)), isAll: false, isAdded: true } },
      asset(found) as Bare,
    ],
  ],
  [
    'grow my? my? @ share|position? by #n|$ share?',
    (found) => [{ kind: 'act', act: 'grow' }, sizeOf(found), asset(found) as Bare],
  ],
  ['have_after only? #n share? of? my? my?', targetSize],
  [
    '#n share? of? my? @ share? total comma? just_do',
    (found) => [targetSize(found), asset({ ...found, has: () => false }) as Bare],
  ],
  ['as_held', () => addedSize(1)],
  [
    '% of? my? my? whole_account worth? of? my?',
    (found) => ({ kind: 'size', size: { equity: toPlain(new Dec(firstOf(found).value).div(100)) } }),
  ],
  ['everything', () => ({ kind: 'size', size: { vague: true } })],
  ['vague share? of? my?', () => ({ kind: 'size', size: { vague: true } })],
  ['more share? of? my?', () => ({ kind: 'size', size: { vague: true } })],
  ['it', () => ({ kind: 'ref' })],
  ['limit of|at? # per? post?', price('limit')],
  ['limit of|at? # per? post_most', price('most')],
  ['limit of|at? # per? post_least', price('least')],
  ['with? my? a? limit of|at? # per?', price('limit')],
  ['$ limit !#', price('limit')],
  ['limit at? a? #', price('limit')],
  ['at? market', type('market')],
  ['limit', type('limit')],
  [
    'buy_stop|sell_stop on|of|for my? my? @ for #n share',
    (found) => [
      { kind: 'act', act: found.has('buy_stop') ? 'buy' : 'sell' },
      { kind: 'type', type: 'stop' },
      sharesOf(found),
      asset(found) as Bare,
    ],
  ],
  [
    'buy_stop',
    () => [
      { kind: 'act', act: 'buy' },
      { kind: 'type', type: 'stop' },
    ],
  ],
  [
    'sell_stop',
    () => [
      { kind: 'act', act: 'sell' },
      { kind: 'type', type: 'stop' },
    ],
  ],
  ['at # per?', price('at')],
  ['# post limit? !#', price('at')],
  ['# post', price('at')],
  ['post limit #', price('at')],
  ['# post_limit', price('limit')],
  ['post_limit', type('limit')],
  ['at|for|by? most # post? per?', price('most')],
  ['at|for? least # post? per?', price('least')],
  ['each_most # per?', (found) => ({ ...(price('most')(found) as Bare & { kind: 'price' }), perShare: true })],
  ['each_least # per?', (found) => ({ ...(price('least')(found) as Bare & { kind: 'price' }), perShare: true })],
  ['for # or_more', price('least')],
  ['for # or_less', price('most')],
  ['for # per?', price('for')],
  ['at # post', price('at')],
  ['at? # post_most', (found) => ({ ...(price('most')(found) as Bare & { kind: 'price' }), perShare: true })],
  ['at? # post_least', (found) => ({ ...(price('least')(found) as Bare & { kind: 'price' }), perShare: true })],
  ['for # post_most', price('most')],
  ['for # post_least', price('least')],
  ['at|for? below # per?', price('below')],
  ['at|for? above # per?', price('above')],
  ['with|at? my? a? stop of|at|by? # post?', price('stop')],
  ['with? my? a? stop_loss of|at|by? # post?', price('stop_loss')],
  [
    'place a? # stop|stop_loss !#',
    (found) => [{ kind: 'act', act: 'place' }, price(found.has('stop_loss') ? 'stop_loss' : 'stop')(found) as Bare],
  ],
  ['$ stop_loss !#', price('stop_loss')],
  ['$ stop !#', price('stop')],
  [
    'a? stop of|at|by? # below my? my? @ share|position?',
    (found) => [price('stop')(found) as Bare, asset(found) as Bare],
  ],
  [`with? a? stop|stop_loss of|at|by? %|$ ${BELOW} my? ${BASE}`, (found) => distance(stopRole(found), 'below')(found)],
  ['with? a? stop|stop_loss of|at|by? %', (found) => distance(stopRole(found), 'below')(found)],
  ['with? a? % stop|stop_loss !#', (found) => distance(stopRole(found), 'below')(found)],
  [`with? a? %|$ stop|stop_loss ${BELOW} my? ${BASE}`, (found) => distance(stopRole(found), 'below')(found)],
  [`with? a? profit of|at|by? %|$ above my? ${BASE}`, distance('profit', 'above')],
  ['with? a? profit of|at|by? %', distance('profit', 'above')],
  ['with? a? % profit !#', distance('profit', 'above')],
  [`of|at|by? %|$ below|above my? ${BASE}`, distance('at', undefined)],
  [
    `if my? the_price|@ the_price? falls|is_down by_more|above? %|$ ${BELOW} my? ${BASE}`,
    distance('falls_by', 'below'),
  ],
  [`if my? the_price|@ the_price? rises|is_up by_more? %|$ above|of|from my? ${BASE}`, distance('rises_by', 'above')],
  ['if my? the_price|@ the_price? falls|moves to? below my? cost_price', distance('falls_by', 'below')],
  ['with? a? stop_with_limit', type('stop_with_limit')],
  [
    'with? a? stop_market of|at|by? # post?',
    (found) => [{ kind: 'type', type: 'stop_market' }, price('stop')(found) as Bare],
  ],
  ['stop_with_limit of|at? # limit? #', twoPrices('stop_with_limit')],
  [
    'a? stop|stop_loss on #n share? of my my? @ share|position?',
    (found) => [
      { kind: 'type', type: found.has('stop_loss') ? 'stop_loss' : 'stop' },
      sharesOf(found),
      { ...(asset(found) as Bare & { kind: 'asset' }), isMine: true },
    ],
  ],
  ['trigger of|at? #', price('stop')],
  ['with? my? a? profit of|at|by? # post?', price('profit')],
  ['with? my? a? trailing of|at|by? % trailing|stop|stop_loss?', trail],
  ['with? my? a? trailing of|at|by? $ trailing|stop|stop_loss?', trail],
  [
    'trailing my? my? @ share|position? of|at|by? %|$',
    (found) => [
      { kind: 'act', act: 'protect' },
      { ...(asset(found) as Bare & { kind: 'asset' }), isMine: true },
      trail(found),
    ],
  ],
  [
    'trailing my? my? @ share|position? of|at|by? %|$ comma #n share only',
    (found) => [
      { kind: 'act', act: 'protect' },
      sharesOf({ ...found, quantities: found.quantities.slice(1) }),
      { ...(asset(found) as Bare & { kind: 'asset' }), isMine: true },
      trail(found),
    ],
  ],
  [
    'trailing for|on my? my? @ share|position? comma? of|at|by? %|$',
    (found) => [trail(found), { ...(asset(found) as Bare & { kind: 'asset' }), isMine: true }],
  ],
  [
    'stop|stop_loss for my? my? @ share|position?',
    (found) => [
      { kind: 'type', type: found.has('stop_loss') ? 'stop_loss' : 'stop' },
      { ...(asset(found) as Bare & { kind: 'asset' }), isMine: true },
    ],
  ],
  ['with? a? % trailing !#', trail],
  ['with? a? $ trailing !#', trail],
  ['with? a? trailing', type('trailing')],
  ['with? a? stop_loss', type('stop_loss')],
  ['with? a? stop', type('stop')],
  ['a? bracket', type('bracket')],
  ['a? oco', type('oco')],
  ['a? oto', type('oto')],
  ['to #', price('to')],
  ['with|for? a? gtc', time('gtc')],
  ['no_end', () => ({ kind: 'no_end' })],
  ['with|for? a? day', time('day')],
  ['with? ioc', time('ioc')],
  ['with? fok', time('fok')],
  ['opg', time('opg')],
  ['cls', time('cls')],
  ['to_held', () => []],
  ['with|of? extended', () => ({ kind: 'extended' })],
  // A request is about the default account and its positions anyway.
  ['of|with my my? account|portfolio', () => []],
  ['only_if it_is|the_price moves? below #', price('below')],
  ['only_if it_is|the_price moves? above #', price('above')],
  ['if|only_if can_get below # per?', price('most')],
  ['if|only_if can_get above # per?', price('least')],
  ['if|only_if can_get each_most|most # per?', price('most')],
  ['if|only_if can_get each_least|least # per?', price('least')],
  ['if|only_if can_get at|for? # per?', price('at')],
  ['if it_is below|above #', once(crossing)],
  ['with? a? stop below !#', type('stop')],
  ['with? a? stop_loss below !#', type('stop_loss')],
  ['held_now', () => ({ kind: 'now' })],
  ['or_less', () => ({ kind: 'bound', bound: 'less' })],
  ['or_more', () => ({ kind: 'bound', bound: 'more' })],
  ['if my? the_price|@? the_price? falls|rises|moves aux? back? at|to? below|above # per? any_time?', once(crossing)],
  [
    'if my? the_price|@ the_price? falls|rises|moves|is_down|is_up by_more|above? % a_day? a_day?',
    unsupported('percent'),
  ],
  ['if my? the_price|@ the_price? is_down|is_up by? % a_day? a_day?', unsupported('percent')],
  // In German, the verb of a condition comes last.
  ['if my? the_price|@? the_price? below|above # falls|rises|moves', once(crossing)],
  ['if my? the_price|@? the_price? falls|rises|moves back? at|to? # per? any_time?', once(reaching)],
  ['if my? the_price|@? the_price? breaks_below|breaks_above # if_after?', once(breaking)],
  ['my? the_price|@ the_price? breaks_below|breaks_above # if_after', breaking],
  ['if my? the_price|@? the_price? falls to? # below|post_most if_after?', once(breaking)],
  ['if my? the_price|@? the_price? rises to? # above|post_least if_after?', once(breaking)],
  ['my? the_price|@ the_price? falls to? # below|post_most if_after', breaking],
  ['my? the_price|@ the_price? rises to? # above|post_least if_after', breaking],
  ['my? the_price|@ the_price? falls|rises to? # if_after', reaching],
  ['if? my? the_price|@ the_price? # if_below|if_above', once(breaking)],
  ['if? my? the_price|@ the_price? # below|above|post_most|post_least if_moves', once(breaking)],
  ['each_weekday', recurring],
  ['every|on weekday', onWeekday],
  ['every? week on? weekday', recurring],
  ['weekday', (found) => (/days$/.test(found.items[0]?.lower ?? '') ? recurring(found) : undefined)],
  ['every? trading_day', (found) => (found.has('every') ? recurring(found) : undefined)],
  ['daily', () => ({ kind: 'when', when: { every: 'day' } })],
  ['every? month', () => ({ kind: 'when', when: { every: 'month' } })],
  ['on|every? my? first|ordinal day? of? every|my? month|the_month', monthly],
  ['on|every? my? first|ordinal month', monthly],
  ['month #n month_day', () => ({ kind: 'ask', about: 'month_day', item: '' })],
  ['on? my #n of? every? month', () => ({ kind: 'ask', about: 'month_day', item: '' })],
  ['on? my? month_end', () => ({ kind: 'ask', about: 'month_day', item: '' })],
  ['interval on? weekday|week|month?', () => ({ kind: 'ask', about: 'interval', item: '' })],
  ['every? month on? my? first|ordinal', monthly],
  ['every? week', () => ({ kind: 'ask', about: 'week', item: '' })],
  ['at clock new_york?', (found) => ({ kind: 'when', when: timeOf(found.items) })],
  ['at #n half_day new_york?', (found) => ({ kind: 'when', when: timeOf(found.items) })],
  ['noon new_york?', () => ({ kind: 'when', when: { at: '12:00' } })],
  ['until|before next? weekday|weekend|today', (found) => ({ kind: 'when', when: endOf(found.items) })],
  [
    'until|before my? year_end',
    (found) => ({ kind: 'when', when: { [found.has('before') ? 'before' : 'until']: '12-31' } }),
  ],
  ['end_after my? #n times_word|order|order_noun|buying|span|share?', () => ({ kind: 'ask', about: 'end', item: '' })],
  ['for|over? my? next? #n times_word|span long?', () => ({ kind: 'ask', about: 'end', item: '' })],
  ['until|before my? next? month_name', () => ({ kind: 'ask', about: 'end', item: '' })],
  ['span_end', () => ({ kind: 'ask', about: 'end', item: '' })],
  ['until|before date', (found) => ({ kind: 'when', when: endOf(found.items) })],
  ['until|before my? month_name my? #n|ordinal comma? #n?', (found) => ({ kind: 'when', when: endOf(found.items) })],
  ['until|before my? #n|ordinal of? month_name #n?', (found) => ({ kind: 'when', when: endOf(found.items) })],
  [
    'half of? my? @ comma|and and? half of? my? @',
    (found) => [{ kind: 'split' }, ...found.symbols.flatMap((symbol): Bare[] => [AND, namedAsset(symbol)])],
  ],
  ['split', () => [{ kind: 'act', act: 'invest' }, { kind: 'split' }]],
  ['evenly', () => ({ kind: 'split' })],
  ['each', () => ({ kind: 'each' })],
  ['both', () => ({ kind: 'each' })],
  ['per', () => ({ kind: 'each' })],
  ['total', () => ({ kind: 'total' })],
  ['buy', act('buy')],
  ['invest', act('invest')],
  ['add to?', act('add')],
  ['grow', act('grow')],
  ['get', act('get')],
  ['sell', act('sell')],
  ['trim', act('trim')],
  ['close', act('close')],
  ['leave', act('leave')],
  ['protect', act('protect')],
  ['place a?', act('place')],
  ['order? buying', act('buy')],
  ['order? selling', act('sell')],
  ['shorten', act('short')],
  ['and|comma and', () => ({ kind: 'link', link: 'and' })],
  ['and', () => ({ kind: 'link', link: 'and' })],
  ['comma', () => ({ kind: 'link', link: 'comma' })],
  ['or', () => ({ kind: 'link', link: 'or' })],
];

/** Reads an order type with its stop and its limit, in this order. */
function twoPrices(name: (Bare & { kind: 'type' })['type']): Build {
  return ({ quantities }) => [
    { kind: 'type', type: name },
    { kind: 'price', role: 'stop', value: quantities[0]?.value ?? '', perShare: false, isDollars: false },
    { kind: 'price', role: 'limit', value: quantities[1]?.value ?? '', perShare: false, isDollars: false },
  ];
}

function trail(found: TemplateMatch): Bare {
  const { unit, value } = firstOf(found);
  return { kind: 'trail', field: unit === 'percent' ? 'trail_percent' : 'trail_price', value };
}

/** Reads "on Fridays" as a recurrence. Returns undefined for "on Friday", which is one day. */
function onWeekday(found: TemplateMatch): Bare | undefined {
  const isMany = found.items[0]?.lower === 'on' && /s$/.test(found.items.at(-1)?.lower ?? '');
  return isMany || found.has('every') ? recurring(found) : undefined;
}

function recurring(found: TemplateMatch): Bare {
  return { kind: 'when', when: { every: recurrenceOf(found.items) } };
}

function monthly(found: TemplateMatch): Bare {
  const isFirst = found.items.some(({ lower, tags }) => lower === '1st' || tags.includes('first'));
  return isFirst ? { kind: 'when', when: { every: 'month' } } : { kind: 'ask', about: 'month_day', item: '' };
}

/** Meanings that add nothing between slots. Everything else must fill a slot. */
const EMPTY = ['harmless', 'my', 'a', 'order', 'end', 'colon', 'question'];

/** Removes the words that only mark the case of the word before them, as in "AAPLを5株". */
export const withoutParticles = (items: readonly Item[]) =>
  items.filter((item) => item.aside || isAsset(item) || !item.tags.includes('particle'));

/** Reads the slots that the items fill, in the order of the words. */
export function readMentions(all: readonly Item[]): Mention[] {
  const items = withoutParticles(all);
  const mentions: Mention[] = [];
  for (let at = 0; at < items.length; ) {
    const item = items[at] as Item;
    const best = longestSlot(items, at);
    if (best === undefined) {
      const isEmpty = !item.aside && item.tags.some((tag) => EMPTY.includes(tag));
      const isOnly = item.tags.includes('only') && restrictsNothing(mentions.at(-1), items.slice(at + 1));
      const addresses = mentions.length > 0 && addressesAsset(items, at);
      if ((!isEmpty && !isOnly) || addresses) mentions.push(unread(item));
      at += 1;
      continue;
    }
    const text = best.found.items.map((one) => one.text).join(' ');
    for (const made of best.built) mentions.push({ ...made, text } as Mention);
    at = best.found.end;
  }
  return mentions;
}

/** Returns whether "only" changes nothing: "only 5 AAPL", "only at 180", "bracket order only". */
function restrictsNothing(before: Mention | undefined, [next, after]: readonly Item[]): boolean {
  if (next?.quantity !== undefined || (next?.tags.includes('at') && after?.quantity !== undefined)) return true;
  const isTerm = ['type', 'time', 'price', 'trail'].includes(before?.kind ?? '');
  return isTerm && (next === undefined || ['comma', 'end', 'harmless'].some((tag) => next.tags.includes(tag)));
}

/** Returns whether an asset is addressed instead of ordered: "thank you TSLA". */
function addressesAsset(items: readonly Item[], at: number): boolean {
  const next = items.slice(at + 1).find(({ tags }) => !tags.includes('comma'));
  return (
    /^(?:thank|thanks|thx|ty|cheers|sorry|bye|goodbye)\b/.test(items[at]?.lower ?? '') &&
    next !== undefined &&
    isAsset(next)
  );
}

const unread = (item: Item): Mention =>
  item.quantity === undefined || item.quantity.isBad
    ? { kind: 'word', item, text: item.text }
    : { kind: 'number', quantity: item.quantity, text: item.text };

function longestSlot(items: readonly Item[], at: number) {
  let best: { readonly found: TemplateMatch; readonly built: readonly Bare[] } | undefined;
  for (const [template, build] of slots) {
    const found = matchAt(template, items, at);
    if (found === undefined || found.end === at || (best !== undefined && found.end <= best.found.end)) continue;
    if (found.items.some(({ aside }) => aside)) continue;
    const built = build(found);
    if (built !== undefined) best = { found, built: Array.isArray(built) ? built : [built as Bare] };
  }
  return best;
}
