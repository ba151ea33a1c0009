import type { ErrorCode } from '../../errors/errors.ts';
import { Dec, decimalString, toPlain } from '../../trading/decimal.ts';
import { symbolSchema } from '../../trading/order.ts';
import { defined } from '../../values/defined.ts';
import { isCoinCode } from './coins.ts';
import { parseNumberWords } from './number-words.ts';
import type { PlannerRefusal } from './refusal.ts';

/** Thrown when a clause can't be parsed or is ambiguous. Its message becomes the answer. */
export class NotUnderstoodError extends Error {
  readonly refusal: PlannerRefusal;

  /** @param offer the sentence that the person can accept with "yes" */
  constructor(message: string, hint: string, code: ErrorCode = 'usage', offer?: string) {
    super(message);
    this.refusal = { code, message, hint, ...defined({ offer }) };
  }
}

/** Hint for numbers that may have lost a dollar sign to the shell. */
export const shellQuotesHint =
  'In a terminal, put the sentence in single quotes: in double quotes the shell replaces the "$2" of "$250" and leaves "50".';

/** Words of the grammar, which are never read as symbols in lower case. */
export const reservedWords = new Set(
  (
    'a about after all also an and are as at be better buy by call calls cancel cash close current day dollars each every ' +
    'everything extended few fill first fok for from gtc half if in into ioc is it last later latest limit lmt lot ' +
    'market me mkt more ' +
    'much my newest no not now of off oldest on only open or order orders our out pending percent please position ' +
    'previous price purchase put puts ' +
    'above below bracket but cannot chart change close dont dump entire every except exit falls graph left maybe move never nor oco or oto ' +
    'otherwise rises same take-profit than tonight where whole without ' +
    'quote sell share shares short some soon stock stocks stop that the them then these this to today tomorrow ' +
    'trail trailing under unless until usd we what when while with worth you your'
  ).split(' '),
);

export class WordReader {
  readonly #words: readonly string[];
  /** Positions of words that are followed by a comma, which ends a company's name. */
  readonly #ends = new Set<number>();
  #next = 0;

  constructor(text: string) {
    const words: string[] = [];
    for (const written of text
      .replace(/\$\s+(?=\d)/g, '$')
      .replace(/@/g, ' @ ')
      .split(/\s+/)) {
      const word = written.replace(/[,.!?:]+$/, '');
      if (word !== '') words.push(word);
      if (written.endsWith(',')) this.#ends.add(words.length - 1);
    }
    this.#words = words;
  }

  get done(): boolean {
    return this.#next >= this.#words.length;
  }

  /** Returns a word without taking it, or an empty string past the end. */
  peek(ahead = 0): string {
    return this.#words[this.#next + ahead] ?? '';
  }

  next(): string {
    return this.#words[this.#next++] ?? '';
  }

  take(...words: string[]): boolean {
    if (!words.every((word, ahead) => this.peek(ahead).toLowerCase() === word)) return false;
    this.#next += words.length;
    return true;
  }

  takeAny(...phrases: string[]): boolean {
    return phrases.some((phrase) => this.take(...phrase.split(' ')));
  }

  rest(): string {
    return this.#words.slice(this.#next).join(' ');
  }

  /**
   * Takes a ticker in capitals, or a name in lower case: `apple`, `google class a`.
   * @throws {NotUnderstoodError} with `hint`
   */
  symbol(hint = 'Try "buy 5 AAPL".'): string {
    const written = this.next();
    const word = written.replace(/^\$(?=[A-Za-z])/, '');
    // "$BTC" always means the fund with that ticker; "BTC" may mean the fund or the coin.
    if (written === word && isCoinCode(word)) return word.toLowerCase();
    if (word === '') throw new NotUnderstoodError('The ticker symbol is missing.', hint);
    const isWord = reservedWords.has(word.toLowerCase()) && word !== word.toUpperCase();
    if (!isWord && /^[A-Z]/.test(word) && word === word.toUpperCase()) {
      const ticker = symbolSchema.safeParse(word);
      if (ticker.success) return ticker.data;
    }
    if (isWord || !namePattern.test(word)) {
      throw new NotUnderstoodError(`I expected a ticker symbol but found "${truncateWord(word)}".`, hint);
    }
    const name = [word];
    while (name.length < MAX_NAME_WORDS && this.#goesOn()) name.push(this.next());
    const text = name
      .join(' ')
      .replace(/['’]s$/, '')
      .toLowerCase();
    // Rejects text without letters, such as "&" and digits.
    if (text === text.toUpperCase()) {
      throw new NotUnderstoodError(`I expected a ticker symbol but found "${truncateWord(word)}".`, hint);
    }
    return text;
  }

  #goesOn(): boolean {
    const word = this.peek();
    const isClass = word.toLowerCase() === 'class' && /^[a-z]$/i.test(this.peek(1));
    const isLetter = this.#words[this.#next - 1]?.toLowerCase() === 'class' && /^[a-z]$/i.test(word);
    const isExit = word.toLowerCase() === 'take' && this.peek(1).toLowerCase() === 'profit';
    // A word in capitals does not continue a name: it is a ticker of another security, or the "name" was really a word
    // of another language.
    const isTicker = /^[A-Z]{2,}$/.test(word);
    if (isExit || this.#ends.has(this.#next - 1)) return false;
    return isClass || isLetter || (namePattern.test(word) && !isTicker && !reservedWords.has(word.toLowerCase()));
  }

  /** Takes `$500`, `$1.5k`, `500 dollars`, `usd 500` or `1k worth`; returns undefined otherwise. */
  money(): string | undefined {
    const word = this.peek().toLowerCase();
    if (/^-?\$/.test(word)) {
      this.next();
      return parseAmount(expandThousands(word.replace('$', '')));
    }
    if (word === 'usd' && looksNumeric(this.peek(1))) {
      this.next();
      return parseAmount(expandThousands(this.next()));
    }
    const unit = /^(dollars?|usd|bucks)$/i;
    const isThousands = /^\d+(\.\d+)?k$/.test(word) && this.peek(1).toLowerCase() === 'worth';
    if (isThousands || (looksNumeric(word) && unit.test(this.peek(1)))) {
      const value = parseAmount(expandThousands(this.next()));
      if (!isThousands) this.next();
      return value;
    }
    const said = parseNumberWords(this.#lower());
    if (said === undefined || !unit.test(this.peek(said.count))) return undefined;
    this.#next += said.count + 1;
    return said.value;
  }

  /** Takes a number, which can be a word like `five`. Returns undefined if no number comes next. */
  quantity(): string | undefined {
    const said = parseNumberWords(this.#lower());
    if (said !== undefined) {
      this.#next += said.count;
      return said.value;
    }
    return looksNumeric(this.peek()) ? parseAmount(this.next()) : undefined;
  }

  #lower(): string[] {
    return this.#words.slice(this.#next, this.#next + 8).map((word) => word.toLowerCase());
  }

  price(what: string): string {
    const word = this.next();
    if (!looksNumeric(word.replace(/^\$/, ''))) {
      throw new NotUnderstoodError(
        `The ${what} is missing.`,
        `Give it in dollars per share, as in "${what.split(' ')[0]} 180".`,
      );
    }
    const price = parseAmount(word.replace(/^\$/, ''));
    if (!word.startsWith('$')) this.takeAny('dollars', 'usd', 'bucks');
    return price;
  }
}

const namePattern = /^[\p{L}&][\p{L}\p{N}&.'’-]*$/u;
const MAX_NAME_WORDS = 6;

function expandThousands(word: string): string {
  const parts = /^(\d+(?:\.\d+)?)k$/i.exec(word);
  return parts?.[1] === undefined ? word : toPlain(new Dec(parts[1]).times(1_000));
}

export function looksNumeric(word: string): boolean {
  return /^[-+]?\.?\d/.test(word);
}

/** Returns `1,000.50` as a plain decimal. @throws {NotUnderstoodError} unless it is above zero */
export function parseAmount(word: string): string {
  const grouped = /^-?\d{1,3}(,\d{3})+(\.\d+)?$/.test(word) ? word.replaceAll(',', '') : word;
  const parsed = decimalString.safeParse(grouped);
  if (!parsed.success) {
    throw new NotUnderstoodError(
      `I can't read "${truncateWord(word)}" as a number.`,
      /^0\d/.test(word) ? shellQuotesHint : 'Use a plain number, such as 1000 or 12.5.',
      'invalid_order',
    );
  }
  if (new Dec(parsed.data).lte(0)) {
    throw new NotUnderstoodError(
      `${truncateWord(word)} is not above zero.`,
      word === '0' ? `Give a number above zero. ${shellQuotesHint}` : 'Give a number above zero.',
      'invalid_order',
    );
  }
  return parsed.data;
}

export function truncateWord(word: string): string {
  return word.length > 40 ? `${word.slice(0, 39)}…` : word;
}

export function parseSingleSymbol(words: WordReader, example: string): string {
  const symbol = words.symbol(`Try "${example}".`);
  words.takeAny('shares', 'share', 'stock', 'position');
  if (words.done) return symbol;
  throw new NotUnderstoodError(`I don't understand "${words.rest()}" here.`, `Try "${example}".`);
}
