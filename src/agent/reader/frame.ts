import type { Act, Mention, Size } from './slots.ts';

/** One order of a sentence: "buy 5 AAPL, 3 MSFT" has two parts. */
export interface Part {
  size?: Size;
  sizeText: string;
  readonly assets: (Mention & { kind: 'asset' })[];
  readonly terms: Mention[];
}

/** The orders that the mentions of a clause describe, complete or not. */
export interface OrderFrame {
  readonly acts: readonly Act[];
  /** Terms before the first size or symbol. They apply to every part. */
  readonly shared: readonly Mention[];
  readonly parts: readonly Part[];
  /** Whether the size applies to each part separately ("5 each of AAPL and MSFT"). */
  readonly each: boolean;
  /** Whether an amount is divided into equal parts ("split $900 between AAPL and MSFT"). */
  readonly split: boolean;
  /** Mentions that fill no slot. */
  readonly unread: readonly Mention[];
}

/** Sorts the mentions of a clause into the slots of its orders. @param it the symbol that "it" refers to */
export function fillFrame(mentions: readonly Mention[], it?: string): OrderFrame {
  // "if TSLA falls below 300, buy 5 of it" names the symbol in its condition.
  const watched = new Set(
    mentions.flatMap((one) => ((one.kind === 'when' || one.kind === 'ask') && one.of !== undefined ? [one.of] : [])),
  );
  const filler = new FrameFiller(watched.size === 1 ? [...watched][0] : it);
  mentions.forEach((mention, at) => {
    filler.add(mention, mentions[at - 1], mentions[at + 1]?.kind);
  });
  return filler;
}

class FrameFiller implements OrderFrame {
  readonly acts: Act[] = [];
  readonly shared: Mention[] = [];
  readonly parts: Part[] = [];
  readonly unread: Mention[] = [];
  each = false;
  split = false;
  readonly #it: string | undefined;
  /** Whether the previous mention was "and" or a comma. */
  #isLinked = false;

  constructor(it: string | undefined) {
    this.#it = it;
  }

  add(mention: Mention, before: Mention | undefined, after: Mention['kind'] | undefined): void {
    const isLinked = this.#isLinked;
    this.#isLinked = mention.kind === 'link' && mention.link !== 'or';
    switch (mention.kind) {
      case 'act':
        this.#addAct(mention, isLinked);
        break;
      case 'size':
        if (!(isLinked && after === 'type' && this.#isEach(mention)))
          this.#addSize(mention, isLinked, before?.kind === 'act', after === 'act');
        break;
      case 'ref':
      case 'asset':
        this.#addAsset(mention, isLinked);
        break;
      case 'link':
        if (mention.link === 'or') this.#addTerm(mention);
        else if (mention.link === 'and' && after === undefined) this.unread.push(mention);
        break;
      case 'word':
      case 'number':
        this.unread.push(mention);
        break;
      case 'total':
        // "no more than 1000 in total" bounds the amount. The order has only a price per share.
        if (before?.kind === 'price' && before.perShare) this.unread.push(mention);
        break;
      case 'split':
        this.split = true;
        break;
      default:
        if (mention.kind === 'each') this.each = true;
        this.#addTerm(mention);
    }
  }

  /** Returns whether "all" means each order: "buy 10 PFE and 5 ABBV, all at market". */
  #isEach({ size }: Mention & { kind: 'size' }): boolean {
    const last = this.parts.at(-1);
    return 'isAll' in size && size.isAll && last?.size !== undefined && last.assets.length > 0;
  }

  #addTerm(mention: Mention): void {
    (this.parts.at(-1)?.terms ?? this.shared).push(mention);
  }

  #addAct(mention: Mention & { kind: 'act' }, isLinked: boolean): void {
    const { act } = mention;
    // "… and set a stop loss at 170" adds an exit to the order.
    if ((act === 'place' || act === 'add') && isLinked && this.parts.length > 0) return;
    // In "I want sell 3 AAPL", "want" is not a separate act.
    if (this.acts.at(-1) === 'get' && this.parts.length === 0) this.acts.pop();
    const isFirst = this.acts.every((one) => one === 'place');
    if (isFirst || act === this.acts.at(-1)) this.acts.push(act);
    else this.unread.push(mention);
  }

  #addSize(mention: Mention & { kind: 'size' }, isLinked: boolean, afterAct: boolean, beforeAct: boolean): void {
    const last = this.parts.at(-1);
    const isBare = 'qty' in mention.size && !mention.size.isShares;
    const isComplete = last?.size !== undefined && last.assets.length > 0;
    const isVague = last?.size !== undefined && 'vague' in last.size && last.assets.length > 0;
    // A bare number after the symbol may be a price: "close my AAPL 180".
    const isFirst = !isLinked || last?.size === undefined;
    const isAfter =
      last !== undefined && last.assets.length > 0 && isFirst && !afterAct && !/^by\b/i.test(mention.text);
    const isOdd = isBare && (beforeAct || isAfter);
    if (isOdd || isStray(mention, last)) this.unread.push(mention);
    else if (last === undefined || (isComplete && isLinked && !isExcepted(last, mention)))
      setSize(this.#open(), mention);
    else if (last.size === undefined || isVague || isExcepted(last, mention)) setSize(last, mention);
    else this.unread.push(mention);
  }

  #addAsset(mention: Mention & { kind: 'asset' | 'ref' }, isLinked: boolean): void {
    const last = this.parts.at(-1);
    // In "take $500 and put it into VTI", "it" means the money.
    const isMoney = last?.size !== undefined && ('notional' in last.size || 'cash' in last.size);
    if (mention.kind === 'ref' && isMoney && last.assets.length === 0 && this.acts.at(-1) === 'invest') return;
    const asset = mention.kind === 'asset' ? mention : toAsset(mention, this.#it ?? last?.assets[0]?.symbol);
    if (asset === undefined) this.unread.push(mention);
    else if (last === undefined) this.#open().assets.push(asset);
    else if (last.assets.length === 0 || isLinked) last.assets.push(asset);
    else if (mention.kind === 'asset' || last.assets[0]?.symbol !== asset.symbol) this.unread.push(mention);
  }

  #open(): Part {
    const part: Part = { sizeText: '', assets: [], terms: [] };
    this.parts.push(part);
    return part;
  }
}

/** Returns whether a size such as "but 3" does not follow "all" or another word for the whole position. */
const isStray = (mention: Mention & { kind: 'size' }, last: Part | undefined) =>
  'keep' in mention.size && mention.size.isExcept === true && (last === undefined || !isExcepted(last, mention));

/** Returns whether a mention is an exception to the whole position: "all of my KO except 20" keeps 20. */
const isExcepted = ({ size }: Part, mention: Mention & { kind: 'size' }) =>
  size !== undefined && 'isAll' in size && size.isAll && 'keep' in mention.size;

function setSize(part: Part, { size, text }: Mention & { kind: 'size' }): void {
  part.size = size;
  part.sizeText = text;
}

function toAsset(mention: Mention, symbol: string | undefined): (Mention & { kind: 'asset' }) | undefined {
  return symbol === undefined
    ? undefined
    : { kind: 'asset', symbol, isMine: true, isPosition: true, text: mention.text };
}

const buys: readonly Act[] = ['buy', 'invest', 'add', 'get', 'grow'];
const sells: readonly Act[] = ['sell', 'trim', 'close', 'leave', 'protect'];

/** Returns the side of a frame. Returns undefined if the frame has no act with a side. */
export function sideOf(frame: OrderFrame): 'buy' | 'sell' | undefined {
  if (isProtection(frame)) return 'sell';
  const act = frame.acts.find((one) => one !== 'place');
  if (act === undefined) return undefined;
  return buys.includes(act) ? 'buy' : sells.includes(act) ? 'sell' : undefined;
}

/** Returns whether a frame protects a position: "protect my TSLA with …", "put a stop on my AAPL". */
export function isProtection({ acts, parts, shared }: OrderFrame): boolean {
  if (acts.includes('protect')) return true;
  const act = acts.at(-1);
  const terms = [...shared, ...parts.flatMap((part) => part.terms)];
  // "place a stop limit order on my AAPL"
  const isMine = parts.some(
    ({ assets, size }) => assets.some((one) => one.isMine) || (size !== undefined && 'qty' in size && size.isOf),
  );
  if (act === 'place' && isMine && terms.some((one) => one.kind === 'type' && one.type === 'stop_with_limit'))
    return true;
  const isSet = act === 'place' || act === 'invest' || act === 'add';
  // "I want a stop on my AAPL" sets a stop; "get me 5 AAPL stop 200" is a purchase.
  if (act === 'get') return shared.some(isPlacedStop);
  return isSet && terms.some(isPlacedStop);
}

/** Returns whether the act itself sets a stop. In contrast, the stop of "with a stop at 170" is a purchase's exit. */
export function isPlacedStop(one: Mention): boolean {
  if (/^with\b/i.test(one.text)) return false;
  if (one.kind === 'price') return one.role === 'stop' || one.role === 'stop_loss';
  return one.kind === 'trail' || (one.kind === 'type' && ['stop', 'stop_loss', 'trailing'].includes(one.type));
}
