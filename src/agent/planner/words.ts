import { Dec, decimalString } from '../../trading/decimal.ts';
import type { ErrorCode } from '../../trading/errors.ts';
import { symbolSchema } from '../../trading/order.ts';
import type { PlannerRefusal } from './refusal.ts';

/** Thrown by the planner's reader, caught where a sentence is parsed: what it says becomes the answer. */
export class NotUnderstood extends Error {
  readonly refusal: PlannerRefusal;

  constructor(message: string, hint: string, code: ErrorCode = 'usage') {
    super(message);
    this.refusal = { code, message, hint };
  }
}

export const numberWords = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];

/** Words the grammar uses itself: in lower case they are never taken for a symbol. */
export const reserved = new Set(
  (
    'a about after all also an and are as at be better buy by call calls cancel cash close current day dollars each every ' +
    'everything extended few fill first fok for from gtc half if in into ioc is it last later latest limit lmt lot ' +
    'market me mkt more ' +
    'much my newest no not now of off oldest on only open or order orders our out pending percent please position ' +
    'previous price purchase put puts ' +
    'quote sell share shares short some soon stock stocks stop that the them then these this to today tomorrow ' +
    'trail trailing under unless until usd we what when while with worth you your'
  ).split(' '),
);

/** The words of one clause, read from left to right. */
export class Words {
  readonly #words: readonly string[];
  #next = 0;

  constructor(text: string) {
    this.#words = text
      .replace(/\$\s+(?=\d)/g, '$')
      .replace(/@/g, ' @ ')
      .split(/\s+/)
      .map((word) => word.replace(/[,.!?:]+$/, ''))
      .filter((word) => word !== '');
  }

  get done(): boolean {
    return this.#next >= this.#words.length;
  }

  /** The next word as it was written; empty at the end. */
  peek(ahead = 0): string {
    return this.#words[this.#next + ahead] ?? '';
  }

  next(): string {
    return this.#words[this.#next++] ?? '';
  }

  /** Takes the words if they come next, in any case. */
  take(...words: string[]): boolean {
    if (!words.every((word, ahead) => this.peek(ahead).toLowerCase() === word)) return false;
    this.#next += words.length;
    return true;
  }

  /** Takes the first of these phrases that comes next. */
  takeAny(...phrases: string[]): boolean {
    return phrases.some((phrase) => this.take(...phrase.split(' ')));
  }

  rest(): string {
    return this.#words.slice(this.#next).join(' ');
  }

  /** A ticker symbol. @throws {NotUnderstood} with this hint */
  symbol(hint = 'Write it as in "buy 5 AAPL".'): string {
    const word = this.next();
    const parsed = symbolSchema.safeParse(word);
    const isWord = word === word.toLowerCase() && reserved.has(word);
    if (word !== '' && parsed.success && !isWord) return parsed.data;
    throw new NotUnderstood(
      word === '' ? 'I miss the ticker symbol.' : `"${shown(word)}" stands where I expect a ticker symbol.`,
      hint,
    );
  }

  /** Dollars: `$500`, `500 dollars`, `usd 500`; undefined if that isn't what comes next. */
  money(): string | undefined {
    const word = this.peek().toLowerCase();
    if (/^-?\$/.test(word)) {
      this.next();
      return amount(word.replace('$', ''));
    }
    if (word === 'usd' && looksNumeric(this.peek(1))) {
      this.next();
      return amount(this.next());
    }
    if (looksNumeric(word) && /^(dollars?|usd|bucks)$/i.test(this.peek(1))) {
      const value = amount(this.next());
      this.next();
      return value;
    }
    return undefined;
  }

  /** A number of shares, also `five`; undefined if none comes next. @throws {NotUnderstood} for a malformed one */
  quantity(): string | undefined {
    const word = this.peek().toLowerCase();
    const named = numberWords.indexOf(word) + 1;
    if (named > 0) {
      this.next();
      return String(named);
    }
    return looksNumeric(word) ? amount(this.next()) : undefined;
  }

  /** A price in dollars a share. @throws {NotUnderstood} */
  price(what: string): string {
    const word = this.next();
    if (!looksNumeric(word.replace('$', ''))) {
      throw new NotUnderstood(
        `I miss the ${what}.`,
        `Write it in dollars a share, as in "${what.split(' ')[0]} 180".`,
      );
    }
    return amount(word.replace('$', ''));
  }
}

export function looksNumeric(word: string): boolean {
  return /^[-+]?\.?\d/.test(word);
}

/** A number as people write it, `1,000.50`, as a plain decimal above zero. @throws {NotUnderstood} */
export function amount(word: string): string {
  const grouped = /^-?\d{1,3}(,\d{3})+(\.\d+)?$/.test(word) ? word.replaceAll(',', '') : word;
  const parsed = decimalString.safeParse(grouped);
  if (!parsed.success) {
    throw new NotUnderstood(
      `I can't read "${shown(word)}" as a number.`,
      'Write it plainly, as in 1000 or 12.5.',
      'invalid_order',
    );
  }
  if (new Dec(parsed.data).lte(0)) {
    throw new NotUnderstood(
      `${shown(word)} is not above zero.`,
      'Give a number above zero.',
      'invalid_order',
    );
  }
  return parsed.data;
}

/** A word of the person's, short enough to quote. */
export function shown(word: string): string {
  return word.length > 40 ? `${word.slice(0, 39)}…` : word;
}
