import { Dec, decimalString, toPlain } from '../../trading/decimal.ts';
import { listedSymbols } from '../../trading/listed-symbols.ts';
import { symbolSchema } from '../../trading/symbol.ts';
import { defined } from '../../values/defined.ts';
import type { Item, Quantity } from './item.ts';
import { foldWord, type Lexicon, lexiconFor, MAX_PHRASE_WORDS } from './lexicon.ts';
import { parseNumberWords } from './number-words.ts';
import { withoutRestatements } from './restatements.ts';
import { isListedName, tickersByNickname } from './symbols-by-name.ts';

const MARKS: Readonly<Record<string, string>> = {
  ',': 'comma',
  '、': 'comma',
  ';': 'end',
  '.': 'end',
  '。': 'end',
  '\n': 'end',
  '!': 'end',
  '?': 'question',
  '？': 'question',
  ':': 'colon',
  '=': 'colon',
  '@': 'at',
  '&': 'and',
  '+': 'and',
};

/** Words in capitals that are not tickers unless the sentence allows no other reading. */
const CAPITAL_WORDS = new Set(
  'I A OK OKAY USD US ETF ETFS AM PM EST EDT ET UTC NY NYC NYSE NASDAQ STP IRA ROTH CEO IPO PS FYI ASAP GTC DAY IOC FOK OPG CLS MKT LMT OCO OTO TP SL DCA YTD P&L PNL YES NO STOP BUY SELL HELP QUIT EXIT UNDO GO HALT CANCEL HOLD WAIT NOT AND OR MY THE FOR EVERY NEVER DO DONT AT LIMIT MARKET SHORT CALL PUT IF'.split(
    ' ',
  ),
);

const MAX_NAME_WORDS = 6;
const NAME_WORD = /^[\p{L}&][\p{L}\p{N}&.'-]*$/u;

interface RawToken {
  readonly text: string;
  readonly aside: boolean;
  readonly mark?: string;
}

/** Splits text into items, with the longest phrases of the lexicon first. */
export function readItems(text: string, lexicon: Lexicon = lexiconFor(plainText(text))): Item[] {
  const plain = lexicon.separate(withoutPossessives(plainText(text)));
  const tokens = mergeMoney(splitTokens(lexicon.groupsByPoint ? joinThousands(plain) : plain, lexicon));
  // In a sentence in capitals, capitals don't mark tickers.
  const hasCapitals = /\p{Ll}/u.test(plain);
  const items: Item[] = [];
  for (let at = 0; at < tokens.length; ) {
    const { item, count } = readAt(tokens, at, lexicon, hasCapitals);
    items.push(item);
    at += count;
  }
  return withoutRestatements(joinNames(withCents(items)));
}

/** Adds the cents of "105 dollars and fifty cents" to the dollars. */
function withCents(items: readonly Item[]): Item[] {
  const joined: Item[] = [];
  for (let at = 0; at < items.length; at += 1) {
    const item = items[at] as Item;
    const [link, cents, unit] = items.slice(at + 1, at + 4);
    const isCents =
      /^cents?$/.test(unit?.lower ?? '') && link?.tags.includes('and') && cents?.quantity?.unit === 'none';
    const value = isCents === true && item.quantity?.unit === 'dollars' ? Number(cents?.quantity?.value) : Number.NaN;
    if (Number.isInteger(value) && value < 100 && item.quantity !== undefined && /^\d+$/.test(item.quantity.value)) {
      const text = `${item.quantity.value}.${String(value).padStart(2, '0')}`;
      joined.push({ ...item, quantity: { ...item.quantity, value: text } });
      at += 3;
    } else joined.push(item);
  }
  return joined;
}

/** Converts full-width forms to ASCII, and the quotation marks of all languages to straight ones. */
function plainText(text: string): string {
  return (
    text
      .normalize('NFC')
      .replaceAll('’', "'")
      // "500 dollars' worth" ends no quotation, and "Berkshire Hathaway, class B" is one name.
      .replace(/s'(?= )/g, 's')
      .replace(/, (?=class [abc]\b)/gi, ' ')
      .replace(/[“”«»„「」『』]/g, '"')
      .replace(/[，；：]/g, (mark) => `${String.fromCharCode(mark.charCodeAt(0) - 0xfee0)} `)
      .replace(/[\uff01-\uff5e]/g, (mark) => String.fromCharCode(mark.charCodeAt(0) - 0xfee0))
      .replace(/(?<=\p{Script=Katakana})・(?=\p{Script=Katakana})/gu, '')
      // Texts without spaces have none between a ticker and its weight, and write one company in two scripts.
      .replace(/(?<=[A-Z])(?=\d+(?:\.\d+)?%)/g, ' ')
      .replace(/JP\s?(?:모건|モルガン)/gi, 'JPMorgan ')
  );
}

/** Joins the groups of "120 000". "1 000" may be two numbers. */
const joinThousands = (text: string) =>
  text.replace(
    /(?<![\d.,])([1-9]\d{1,2})((?:[ \u00a0\u202f]\d{3})+)(?![\d.,]?\d)/g,
    (_, first: string, rest: string) => first + rest.replace(/\D/g, ''),
  );

/** Drops the apostrophe of "$200 dollars' worth", which can't be a closing quotation mark if none was opened. */
function withoutPossessives(text: string): string {
  return /(?:^|\s)'/.test(text) ? text : text.replace(/(?<=\p{L}s)'(?=\s)/gu, '');
}

function splitTokens(text: string, lexicon: Lexicon): RawToken[] {
  const tokens: RawToken[] = [];
  let quote = false;
  let depth = 0;
  const parts = text.split(/(\n)|\s+/).flatMap((chunk = '') => splitChunk(chunk, lexicon));
  for (const part of parts.filter((one) => !'¿¡'.includes(one))) {
    if ('"‘\''.includes(part)) quote = !quote;
    else if (part === '(' || part === ')') depth = Math.max(0, depth + (part === '(' ? 1 : -1));
    else tokens.push({ text: part, aside: quote || depth > 0, ...defined({ mark: MARKS[part] }) });
  }
  return tokens;
}

const WHOLE = /^(?:[^\s@"(]+@[^\s@",;()]+\.[a-z]+|#[\w-]+|[0-9a-f]{8}-[0-9a-f-]{20,})(?=[.,;:!?)"']*$)/i;
const PIECES =
  /[A-Za-z]\.[A-Za-z]\.(?:[A-Za-z]\.)?|\d{1,2}(?::\d\d)?(?:a\.m\.|p\.m\.)|-?[$€£]?-?(?:\d|\.\d)[\p{L}\p{N},.:/%-]*[\p{L}\p{N}%]|[$€£]?-?\.?\d%?|\$?[\p{L}][\p{L}\p{N}'&./_-]*[\p{L}\p{N}]|\$?\p{L}|[$€£]|./gsu;

function splitChunk(chunk: string, lexicon: Lexicon): string[] {
  const amount = /^(\d[\d.,]*[km]?)\$([.,;!?]*)$/i.exec(chunk);
  if (amount !== null) return splitChunk(`$${amount[1]}${amount[2]}`, lexicon);
  // A dollar sign inside a word does not belong to an amount or a symbol.
  if (/[\p{L}\p{N}]\$/u.test(chunk)) return [chunk];
  // "AAPL,MSFT" is two symbols; "NVD,A" is not a symbol.
  if (/\p{L},\p{L}/u.test(chunk) && chunk.split(',').some((one) => one.length === 1)) return [chunk];
  const whole = WHOLE.exec(chunk)?.[0];
  if (whole !== undefined) return [whole, ...(chunk.slice(whole.length).match(/./gsu) ?? [])];
  return (chunk.match(PIECES) ?? []).flatMap((piece) => splitPiece(piece, lexicon));
}

function splitPiece(piece: string, lexicon: Lexicon): string[] {
  if (/^[A-Z]{2,}-\p{Lu}?\p{Ll}{2,}$/u.test(piece)) return piece.split('-');
  // Hyphens join the words of a phrase ("take-profit"), which the lexicon contains with spaces.
  if (/^[\p{L}]+(?:-[\p{L}]+)+$/u.test(piece) && piece !== piece.toUpperCase() && !/^[A-Z]{2,}-/.test(piece)) {
    return lexicon.phrases.has(piece.toLowerCase()) ? [piece] : piece.split('-');
  }
  if (/^\p{L}+\/\p{L}+$/u.test(piece) && piece !== piece.toUpperCase() && !lexicon.phrases.has(piece.toLowerCase()))
    return piece.split(/(\/)/);
  if (/^[\p{L}]+\.\p{Lu}\p{Ll}+$/u.test(piece)) return piece.split(/(\.)/);
  return lexicon.split(piece);
}

/** Joins `$ 500`, `500 dollars`, `USD 500` and `5 percent` into one token. */
function mergeMoney(tokens: readonly RawToken[]): RawToken[] {
  const merged: RawToken[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] as RawToken;
    const next = tokens[at + 1]?.text ?? '';
    const isSign = token.text === '$' || /^(?:usd|us\$)$/i.test(token.text);
    if (isSign && /^\.?\d/.test(next)) {
      merged.push({ ...token, text: `$${next}` });
      at += 1;
    } else merged.push(token);
  }
  return merged;
}

const TICKER = /^\$?([A-Z][A-Z0-9]{0,20}(?:[./-][A-Z0-9]{1,5})?)(?:'s|'S)?$/;

interface ReadItem {
  readonly item: Item;
  /** The number of tokens that the item covers. */
  readonly count: number;
}

function readAt(tokens: readonly RawToken[], at: number, lexicon: Lexicon, hasCapitals: boolean): ReadItem {
  const { text, aside, mark } = tokens[at] as RawToken;
  const plain = { text, lower: text.toLowerCase(), tags: [], aside };
  if (mark !== undefined) return { item: { ...plain, tags: [mark] }, count: 1 };
  const words = wordsFrom(tokens, at);
  const spoken = readSpokenNumber(tokens, at, words, lexicon);
  if (spoken !== undefined) return spoken;
  const special = SPECIAL.find(([pattern]) => pattern.test(text))?.[1];
  if (special !== undefined) return { item: { ...plain, tags: [special] }, count: 1 };
  const [, counted] = /^x(\d{1,6})$/i.exec(text) ?? [];
  if (counted !== undefined) {
    const quantity = parseQuantity(counted, lexicon);
    return { item: { ...plain, tags: ['counted'], ...defined({ quantity }) }, count: 1 };
  }
  const number = parseQuantity(text, lexicon);
  if (number !== undefined) {
    const tags = /^20\d\d$/.test(text) ? ['year_number'] : [];
    const { quantity, count } = withUnit(number, tokens[at + 1], tokens[at + 2], lexicon);
    return { item: { ...plain, tags, quantity }, count: 1 + count };
  }
  const { item, count } = readWord(tokens, at, words, lexicon, hasCapitals);
  const asks =
    !['harmless', 'polite', 'ask'].some((tag) => item.tags.includes(tag)) &&
    lexicon.tagsOf(words[0] ?? '').includes('ask');
  return { item: asks && item.tags.length > 0 ? { ...item, tags: [...item.tags, 'ask'] } : item, count };
}

/** Reads "five hundred dollars". */
function readSpokenNumber(
  tokens: readonly RawToken[],
  at: number,
  words: readonly string[],
  lexicon: Lexicon,
): ReadItem | undefined {
  const said = parseNumberWords(words) ?? lexicon.number(words);
  // "one share" and "three quarters" are phrases.
  if (said === undefined || (said.count === 1 && lexicon.phrases.has(`${words[0]} ${words[1]}`))) return undefined;
  const bare: Quantity = { value: said.value, unit: 'none', isScaled: false, isBad: false };
  const { quantity, count } = withUnit(bare, tokens[at + said.count], tokens[at + said.count + 1], lexicon);
  const text = textOf(tokens, at, said.count);
  // "the AAPL one" is not a number.
  const tags = lexicon.tagsOf(text).filter((tag) => tag === 'order_one');
  const item = { text, lower: text.toLowerCase(), tags, aside: tokens[at]?.aside === true, quantity };
  return { item, count: said.count + count };
}

/** Adds the unit that follows a number. `count` is the number of words in the unit. */
function withUnit(
  number: Quantity,
  next: RawToken | undefined,
  after: RawToken | undefined,
  lexicon: Lexicon,
): { quantity: Quantity; count: number } {
  const word = next?.text ?? '';
  const long = lexicon.unitOf(`${word} ${after?.text ?? ''}`);
  const found = long ?? lexicon.unitOf(word);
  const isRepeated = number.unit === 'dollars' && found?.unit === 'dollars';
  if (found === undefined || number.isBad || (number.unit !== 'none' && !isRepeated))
    return { quantity: number, count: 0 };
  const value = found.scale === undefined ? number.value : toPlain(new Dec(number.value).mul(found.scale));
  const quantity = { ...number, value, unit: found.unit };
  if (found.unit !== 'none') return { quantity, count: long === undefined ? 1 : 2 };
  // "5万" may count anything if no unit follows, as "5k" may.
  const scaled = withUnit(quantity, after, undefined, lexicon);
  const isCounted = scaled.count > 0 || lexicon.tagsOf(after?.text ?? '').includes('share');
  return { quantity: isCounted ? scaled.quantity : { ...quantity, isScaled: true }, count: 1 + scaled.count };
}

const textOf = (tokens: readonly RawToken[], at: number, count: number) =>
  tokens
    .slice(at, at + count)
    .map(({ text }) => text)
    .join(' ');

/** Words that are recognized by a pattern, each with its meaning. */
const SPECIAL: readonly (readonly [RegExp, string])[] = [
  [/^[^\s@]+@[^\s@]+\.[a-z]+$/i, 'email'],
  [/^#[\w-]+$/, 'channel'],
  [/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}$/i, 'id'],
  [/^\d{1,2}(?:st|nd|rd|th)$/i, 'ordinal'],
  [/^(?:\d{1,2}:\d\d(?:am|pm|a\.m\.|p\.m\.)?|\d{1,2}(?:am|pm|a\.m\.|p\.m\.))$/i, 'clock'],
  [/^20\d\d-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?$|^\d{1,2}\/\d{1,2}(?:\/(?:20\d\d|\d\d))?$/, 'date'],
  [/^\$?\d+(?:\.\d+)?[cp]$/i, 'strike_right'],
];

function wordsFrom(tokens: readonly RawToken[], at: number): string[] {
  const words: string[] = [];
  for (const { text, mark, aside } of tokens.slice(at, at + MAX_PHRASE_WORDS)) {
    // A phrase does not reach into parentheses: "could you (maybe) buy".
    if ((mark !== undefined && mark !== 'and') || aside !== tokens[at]?.aside) break;
    words.push(foldWord(text));
  }
  return words;
}

function readWord(
  tokens: readonly RawToken[],
  at: number,
  words: readonly string[],
  lexicon: Lexicon,
  hasCapitals: boolean,
): ReadItem {
  const { text, aside } = tokens[at] as RawToken;
  const found = lexicon.longest(words) ?? { tags: possessiveTags(text, lexicon), count: 1 };
  const isCapital = hasCapitals && isInCapitals(text, at === 0);
  const ticker = tickerOf(text, isCapital || !lexicon.has(words[0] ?? ''));
  const nickname = ticker === undefined ? nicknameAt(tokens, at, lexicon) : undefined;
  if (nickname !== undefined && nickname.count >= found.count) {
    const name = textOf(tokens, at, nickname.count);
    const tags = nickname.count === found.count ? found.tags : [];
    const item = {
      text: name,
      lower: name.toLowerCase(),
      tags,
      aside,
      name: nickname.name,
      isKnownName: true,
    } as const;
    return { item, count: nickname.count };
  }
  // A capitalized word among lower-case words is read as a ticker before it is read as the beginning of a phrase.
  const count = ticker !== undefined && isCapital ? 1 : found.count;
  const tags = text.startsWith('$') ? [] : count === found.count ? found.tags : lexicon.tagsOf(words[0] ?? '');
  const whole = textOf(tokens, at, count);
  return { item: { text: whole, lower: whole.toLowerCase(), tags, aside, ...defined({ ticker }) }, count };
}

/** Returns the meaning `comment` for a possessive such as "children's" if the word itself ("children") has it. */
const possessiveTags = (text: string, lexicon: Lexicon) =>
  /^\p{Ll}+'s$/u.test(text) ? lexicon.tagsOf(text.slice(0, -2)).filter((tag) => tag === 'comment') : [];

/** Returns whether a word is in capitals. A single letter counts, as in "my K order", unless it is the first word. */
const isInCapitals = (text: string, isFirst: boolean) =>
  text === text.toUpperCase() && (/^\$?[A-Z]{2}|^\$[A-Z]/.test(text) || (!isFirst && /^[A-Z](?:'S)?$/.test(text)));

const isCompany = (word: string) => !listedSymbols().has(word) && isListedName(word.toLowerCase());

/** Returns the ticker that a word can be: `AAPL`, `BRK.B`, `$aapl`. */
function tickerOf(text: string, mayBeTicker: boolean): string | undefined {
  if (/^\$[a-z]{1,5}$/.test(text)) return text.slice(1).toUpperCase();
  const written = mayBeTicker ? TICKER.exec(text)?.[1] : undefined;
  if (written === undefined || (CAPITAL_WORDS.has(text) && !text.startsWith('$'))) return undefined;
  // Tickers have up to five letters, so "NVIDIA" is a name. "TESLA" is a name that is not a ticker.
  if (/^[A-Z]{6,}$/.test(written) || (/^[A-Z]{5}$/.test(written) && isCompany(written))) return undefined;
  const share = written.replace(/-(?=[AB]$)/, '.');
  // "BRK-B" is a class of shares; "NVD-A" is a typing error.
  return share === written || listedSymbols().has(share) ? symbolSchema.safeParse(share).data : undefined;
}

/** Finds the longest name in the gazetteer, with the letter of a share class: "google class a". */
function nicknameAt(
  tokens: readonly RawToken[],
  at: number,
  lexicon: Lexicon,
): { readonly name: string; readonly count: number } | undefined {
  const end = tokens.findIndex(({ mark, text }, index) => index >= at && mark !== undefined && text !== '&');
  const own = lexicon.nameOf(tokens[at]?.text.toLowerCase() ?? '');
  const words = tokens.slice(at, Math.min(at + 5, end < 0 ? tokens.length : end)).map(({ text }) => text.toLowerCase());
  for (let count = words.length; count > 0; count -= 1) {
    // "Coca" is short for Coca-Cola.
    if (count === 1 && own !== undefined) return { name: own, count };
    const name = words.slice(0, count).join(' ').replace(/'s$/, '');
    const key = name.replaceAll('-', ' ').replace(/[.']/g, '').replaceAll('&', ' and ').replace(/\s+/g, ' ');
    const known = [name, key].find((one) => Object.hasOwn(tickersByNickname, one));
    if (known !== undefined) return { name: known, count };
    const [company] = / class [a-z]$/.test(name) ? name.split(' class ') : [];
    if (company?.split(' ').every((word) => !lexicon.has(word) && /^\p{L}/u.test(word))) return { name, count };
  }
  return undefined;
}

/** Joins adjacent unknown words into one name: `bank of america` can only be a name. */
function joinNames(items: readonly Item[]): Item[] {
  const joined: Item[] = [];
  for (const item of items) {
    const last = joined.at(-1);
    const isUnknown = isUnknownWord(item);
    const isSameScript = last !== undefined && isLatin(last.text) === isLatin(item.text);
    if (isUnknown && isSameScript && last.name !== undefined && !last.isKnownName && last.aside === item.aside) {
      const words = `${last.text} ${item.text}`;
      if (words.split(' ').length <= MAX_NAME_WORDS) {
        joined[joined.length - 1] = { ...last, text: words, lower: words.toLowerCase(), name: toName(words) };
        continue;
      }
    }
    joined.push(isUnknown && NAME_WORD.test(item.text) ? { ...item, name: toName(item.text) } : item);
  }
  return joined;
}

const isLatin = (text: string) => /^\P{L}*\p{Script=Latin}/u.test(text);

const isUnknownWord = ({ tags, quantity, ticker, name, text }: Item) =>
  tags.length === 0 && quantity === undefined && ticker === undefined && name === undefined && /\p{L}/u.test(text);

const toName = (text: string) => text.replace(/'s$/, '').toLowerCase();

const SCALES: Readonly<Record<string, number>> = { k: 1_000, m: 1_000_000 };

function parseQuantity(text: string, { groupsByPoint }: Lexicon): Quantity | undefined {
  const parts = /^(-?)(\$?)(-?)([\d.,]+)([km]?)(%?)$/i.exec(text);
  if (parts === null || !/\d/.test(text)) return /^[-$]*\d[\d.,]*e\d+$/i.test(text) ? badNumber(text) : undefined;
  const [, minus, dollar, sign, digits = '', scale = '', percent] = parts;
  const unit = dollar === '$' ? 'dollars' : percent === '%' ? 'percent' : 'none';
  const plain = plainDigits(digits, groupsByPoint);
  const parsed = decimalString.safeParse(plain);
  if (!parsed.success) return { ...badNumber(text), unit };
  const value = toPlain(new Dec(parsed.data).times(SCALES[scale.toLowerCase()] ?? 1));
  const isPlain = scale === '';
  const isBad = minus !== '' || sign !== '' || new Dec(value).lte(0);
  return { value: isPlain ? parsed.data : value, unit, isScaled: !isPlain, isBad };
}

const badNumber = (text: string): Quantity => ({ value: text, unit: 'none', isScaled: false, isBad: true });

function plainDigits(digits: string, groupsByPoint: boolean): string | undefined {
  // "1.500,00" can only be fifteen hundred.
  if (/^\d{1,3}(\.\d{3})+,\d{1,2}$/.test(digits)) return digits.replaceAll('.', '').replace(',', '.');
  if (!groupsByPoint) {
    // Whoever thinks in another language may mean fifteen hundred by "1.500".
    if (/^[1-9]\d{0,2}\.\d{3}$/.test(digits)) return undefined;
    return /^\d{1,3}(,\d{3})+(\.\d+)?$/.test(digits) ? digits.replaceAll(',', '') : digits.replace(/^\./, '0.');
  }
  if (/^\d+[.,]\d{1,2}$/.test(digits)) return digits.replace(',', '.');
  if (/^\d{1,3}([.,]\d{3})+$/.test(digits)) return undefined;
  return digits;
}
