import { distance } from 'fastest-levenshtein';
import { isTradeAgentError } from '../../errors/errors.ts';
import { checkRecipient, type MessageService } from '../../trading/message.ts';
import { defined } from '../../values/defined.ts';
import { requireUnambiguousAccount, splitAccount, withAccount } from './account-mention.ts';
import { parseAlertRequest, parseAlertSchedule, parseStopAlert } from './alert-sentence.ts';
import { parseDataQuestion, parseFigureQuestion, showPattern, wholeClausePattern } from './data-sentence.ts';
import { commonPhrases, fixedPhrases } from './fixed-phrases.ts';
import { type Intent, isUnresolvedName, listIntentSymbols, type StandingOrderIntent } from './intent.ts';
import { german } from './languages/german.ts';
import { korean } from './languages/korean.ts';
import type { LanguageRequests } from './languages/requests.ts';
import { spanish } from './languages/spanish.ts';
import { legAheadPattern } from './leg-terms.ts';
import { isAboutOption, parseOptionOrder } from './option-sentence.ts';
import { parseCancel, parseReplace } from './order-changes.ts';
import { expandList, isListItem } from './order-list.ts';
import { parseOrder, parseWouldQuestion, questionRefusal, stripPoliteWould } from './order-sentence.ts';
import { parseBareSymbols, parseChart, parseMoreSymbols, parsePositionQuestion, parseQuote } from './price-sentence.ts';
import { parseRebalance, requireCompleteTargets, withMoreTargets } from './rebalance-sentence.ts';
import type { PlannerRefusal } from './refusal.ts';
import { scheduleHint, takeSchedule } from './schedule-mention.ts';
import { hasOnlySymbols, requestsAction, requireAllWordsUsed } from './used-words.ts';
import { NotUnderstoodError, parseSingleSymbol, truncateWord, WordReader } from './words.ts';

export type ParsedPrompt = { readonly intents: readonly Intent[] } | { readonly refusal: PlannerRefusal };

const HINT =
  'The built-in planner understands requests like "what do I own", "quote AAPL", "buy 5 AAPL limit 180", "sell half my MSFT", "open orders", "cancel my AAPL order". "help" lists them all. For more, use a language model with --model.';

/** Maximum length of a prompt in characters. Longer prompts count as prose, which the planner does not parse. */
const MAX_LENGTH = 1_000;

/** Verbs that start a new clause after a comma. */
const verbs = 'buy|sell|purchase|cancel|quote|list|show';

/** Matches the end of a sentence, which also ends a list. */
const sentenceEndPattern = /\s*(?:;|\n|\.\s+)\s*/;

const between = new RegExp(
  `\\s*(?:,?\\s+and\\s+then\\s+|,?\\s+then\\s+|,?\\s+and\\s+(?!${legAheadPattern})|,\\s+(?=(?:${verbs})\\b))\\s*`,
  'i',
);

/** Matches a schedule at the start, which applies to the clause after it: "Every Monday, buy …". */
const leadingSchedulePattern =
  /^((?:every|each|on|if|when|once|as soon as)\b[^,;.]*),\s+(?=(?:please )?(?:buy|sell|purchase)\b)/i;

/** Matches an account at the start, which applies to the clause after it: "In my IRA account, buy …". */
const leadingAccountPattern = new RegExp(
  `^((?:in|from|at|on) [^,;.]*\\baccount\\b[^,;.]*),\\s+(?=(?:please )?(?:${verbs})\\b)`,
  'i',
);

const courtesy =
  /^(?:(?:hey|hi|hello|ok|okay|so|now|please|kindly|just|also|can you|could you|i want to|i'd like to|i would like to|let's|let us|go ahead)[\s,]+)+/i;

/**
 * Parses a prompt completely or not at all: "buy 5 AAPL and frobnicate" does nothing. Common requests in other
 * languages are translated. If a request may be misspelled, the planner asks.
 */
export function parsePrompt(prompt: string): ParsedPrompt {
  const text = prompt.trim();
  const english = parseEnglish(text);
  if ('intents' in english || text.length > MAX_LENGTH) return english;
  try {
    const said = translateRequest(stripCourtesies(text));
    if (said !== undefined) return parseEnglish(said);
  } catch (error) {
    return toRefusal(error);
  }
  if (english.refusal.code !== 'usage') return english;
  const meant = suggestCorrection(stripCourtesies(text), (sentence) => isUnderstood(sentence, text));
  return meant === undefined ? english : { refusal: offerRefusal(meant) };
}

/** Returns whether a corrected sentence can be parsed without taking a corrected word for a company's name. */
function isUnderstood(sentence: string, written: string): boolean {
  const parsed = parseEnglish(sentence);
  const known = written.toLowerCase();
  return 'intents' in parsed && unresolvedNames(parsed.intents).every((name) => known.includes(name));
}

function offerRefusal(offer: string): PlannerRefusal {
  return {
    code: 'usage',
    message: `Did you mean "${offer}"?`,
    hint: 'Nothing has been done yet. Say "yes", or rephrase the request.',
    offer,
  };
}

function toRefusal(error: unknown): { readonly refusal: PlannerRefusal } {
  if (error instanceof NotUnderstoodError) return { refusal: error.refusal };
  throw error;
}

function parseEnglish(text: string): ParsedPrompt {
  try {
    if (text.length > MAX_LENGTH)
      throw new NotUnderstoodError('The request is too long for the built-in planner.', HINT);
    const intents: Intent[] = [];
    const read: { clause: string; intent: Intent }[] = [];
    for (const clause of expandClauses(text)) {
      const intent = extendIntent(intents.at(-1), clause);
      if (intent !== undefined) intents[intents.length - 1] = intent;
      else {
        const next = parseClause(clause);
        read.push({ clause, intent: next });
        addOnce(intents, next);
      }
    }
    requireCompleteTargets(intents);
    requireUnambiguousAccount(intents);
    requireAllWordsUsed(read);
    if (intents.length === 0) throw new NotUnderstoodError('You did not ask for anything.', HINT);
    return { intents };
  } catch (error) {
    return toRefusal(error instanceof NotUnderstoodError ? (questionRefusal(text) ?? error) : error);
  }
}

/** Extends "quote AAPL" with the symbol of "and MSFT", or a rebalance with more targets. */
function extendIntent(last: Intent | undefined, clause: string): Intent | undefined {
  if (last?.kind === 'rebalance') return withMoreTargets(last, clause);
  if (last?.kind !== 'quote' || isFixed(clause)) return undefined;
  const more = parseMoreSymbols(clause);
  return more === undefined ? undefined : { ...last, symbols: [...last.symbols, ...more] };
}

/** Adds an intent, unless it repeats a question. A repeated order, message or watchlist change counts each time. */
function addOnce(intents: Intent[], intent: Intent): void {
  const acts = ['order', 'standing', 'send', 'replace', 'watch'].includes(intent.kind);
  const text = JSON.stringify(intent);
  if (acts || !intents.some((other) => JSON.stringify(other) === text)) intents.push(intent);
}

/** Splits text into clauses at "and", "then" and the ends of sentences. */
export function sentenceClauses(text: string): string[] {
  return splitSentences(text).flat();
}

function splitSentences(text: string): string[][] {
  return text.split(sentenceEndPattern).map((sentence) =>
    stripPoliteWould(sentence)
      .replace(leadingSchedulePattern, '$1 ')
      .replace(leadingAccountPattern, '$1 ')
      .split(between)
      .map(stripCourtesies)
      .filter((clause) => clause !== ''),
  );
}

/** Splits "sell all my AAPL and NVDA" into two sales. @throws {NotUnderstoodError} for an ambiguous list */
export function expandClauses(text: string): string[] {
  return splitSentences(text).flatMap((clauses) => {
    const parts = clauses.flatMap(splitItems);
    const lists: string[][] = [];
    for (const part of parts) {
      const list = lists.at(-1);
      if (list !== undefined && continuesList(part)) list.push(part);
      else lists.push([part]);
    }
    return lists.flatMap(([clause = '', ...items]) =>
      items.length > 0 && isActOrNothing(clause) ? expandList(clause, items, parseClause) : [clause, ...items],
    );
  });
}

function splitItems(clause: string): string[] {
  const [first = '', ...rest] = clause.split(
    /,?\s+(?:as well as|along with|plus)\s+|,\s+|(?<=[A-Z])\s+[&+]\s+(?=\$?(?:[A-Z]{2}|\d))/,
  );
  const isList = rest.length > 0 && !isAboutOption(clause) && rest.every(continuesList);
  return isList && (tryParseClause(clause) === undefined || hasOnlySymbols(clause)) ? [first, ...rest] : [clause];
}

function continuesList(clause: string): boolean {
  const alone = tryParseClause(clause);
  return (alone === undefined || hasOnlySymbols(clause)) && isListItem(clause);
}

function isActOrNothing(clause: string): boolean {
  const intent = tryParseClause(clause);
  return intent === undefined || (requestsAction(intent) && intent.kind !== 'rebalance');
}

function tryParseClause(clause: string): Intent | undefined {
  try {
    return parseClause(clause);
  } catch (error) {
    if (error instanceof NotUnderstoodError) return undefined;
    throw error;
  }
}

export function stripCourtesies(clause: string): string {
  return clause
    .trim()
    .replace(courtesy, '')
    .replace(/(?:[\s,]*(?:please|thanks|thank you|for me)){0,3}[\s.!?]*$/i, '')
    .trim();
}

function fixedIntent(clause: string): Intent | undefined {
  const lower = clause.toLowerCase().replaceAll('’', "'").replace(/\s+/g, ' ');
  return fixedPhrases.find(([pattern]) => pattern.test(lower))?.[1];
}

const isFixed = (clause: string) => fixedIntent(clause) !== undefined;

const changing = ['change', 'move', 'modify', 'adjust', 'amend', 'update', 'edit', 'replace'];
const cancelling = ['cancel', 'kill', 'withdraw', 'call off'];

function parseClause(written: string): Intent {
  const { rest, account } = splitAccount(written.replaceAll('’', "'").replace(/\s+/g, ' '));
  const intent = parseWithoutAccount(rest);
  return account === undefined ? intent : withAccount(intent, account);
}

function parseWithoutAccount(clause: string): Intent {
  const asked = parseWouldQuestion(clause, parseWithoutAccount);
  if (asked !== undefined) return asked;
  const known =
    fixedIntent(clause) ??
    parseFigureQuestion(clause) ??
    parseDataQuestion(clause) ??
    readAccount(clause) ??
    parseRebalance(clause) ??
    readSend(clause) ??
    parseBareSymbols(clause);
  if (known !== undefined) return known;
  const alert = parseAlertRequest(clause) ?? parseStopAlert(clause) ?? parseAlertSchedule(clause);
  if (alert !== undefined) return alert;
  redirectRebalance(clause);
  const standing = readStanding(clause);
  if (standing !== undefined) return standing;
  const option = parseOptionOrder(clause);
  if (option !== undefined) return option;
  const words = new WordReader(clause);
  const order = parseOrder(words);
  if (order !== undefined) return order;
  const again = new WordReader(clause);
  if (again.takeAny(...cancelling)) return parseCancel(again);
  if (again.takeAny(...changing)) return parseReplace(again);
  const price = parsePositionQuestion(clause) ?? parseChart(clause) ?? parseQuote(clause);
  if (price !== undefined) return price;
  throw new NotUnderstoodError(`I don't understand "${truncateWord(clause)}".`, HINT);
}

export function unresolvedNames(intents: readonly Intent[]): string[] {
  return [...new Set(intents.flatMap(listIntentSymbols).filter(isUnresolvedName))];
}

/** Rejects a rebalance without targets, and says what to type instead. @throws {NotUnderstoodError} */
function redirectRebalance(clause: string): void {
  if (/^re-?balance\b/i.test(clause)) {
    throw new NotUnderstoodError(
      'How much of each symbol?',
      'Give each symbol its percentage of the account, 100% in total: "rebalance to 60% VTI 40% BND", "rebalance to 60% VTI 30% BND 10% cash". To rebalance to the targets in a rules file, use "trade-agent check --suggest" (docs/guide/CHECKS.md).',
    );
  }
}

const portfolioWords =
  "(?:(?:a |the )?(?:summary|overview) of )?(?:my |the |a )?(?:portfolio|positions|holdings|account)(?:'s)?(?: summary| overview)?";

const sendPatterns: readonly (readonly [MessageService, RegExp])[] = [
  [
    'slack',
    new RegExp(
      `^(?:send|post|share) ${portfolioWords} (?:to|on|in) (?:slack )?(?:channel |the channel )?(\\S+)(?: (?:on|in) slack)?$`,
      'i',
    ),
  ],
  ['slack', new RegExp(`^slack ${portfolioWords} to (?:channel )?(\\S+)$`, 'i')],
  ['gmail', new RegExp(`^(?:e-?mail|mail|gmail) ${portfolioWords} to (\\S+)$`, 'i')],
  ['gmail', new RegExp(`^send ${portfolioWords} (?:by (?:e-?mail|gmail) )?to (\\S+@\\S+)$`, 'i')],
];

function readSend(clause: string): Intent | undefined {
  const found = sendPatterns.flatMap(([service, pattern]) => {
    const recipient = pattern.exec(clause)?.[1];
    // "send my portfolio to bob@example.com" is an email.
    const fits = recipient !== undefined && (service === 'gmail' || !recipient.includes('@'));
    return fits ? [{ kind: 'send', service, recipient } as const] : [];
  })[0];
  if (found === undefined) return undefined;
  try {
    checkRecipient(found.service, found.recipient);
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    throw new NotUnderstoodError(
      `"${truncateWord(found.recipient)}": ${error.message}.`,
      error.hint ?? 'Name one channel or one email address.',
      error.code,
    );
  }
  return found;
}

/**
 * Parses a standing order: "buy $200 of VTI every Monday". Returns undefined if the clause has no time or price to wait
 * for.
 */
function readStanding(clause: string): StandingOrderIntent | undefined {
  if (!/\b(?:buy|sell|purchase)\b/i.test(clause)) return undefined;
  const timed = takeSchedule(clause);
  if (timed === undefined) return undefined;
  const words = new WordReader(timed.rest);
  const order = parseOrder(words);
  if (order === undefined) return undefined;
  const { request, fraction, mayBeTotal } = order;
  const symbol = String(request.symbol);
  if (fraction !== undefined) {
    throw new NotUnderstoodError(
      'How many shares? By then, a fraction of your position may be a different number of shares.',
      `Give a number: "${request.side} 5 ${symbol.toUpperCase()} …".`,
    );
  }
  const { type = 'market', time_in_force = 'day', extended_hours = false, order_class } = request;
  const isPlain = ['market', 'limit'].includes(type) && order_class === undefined;
  if (!isPlain || time_in_force !== 'day' || extended_hours) {
    throw new NotUnderstoodError(
      'Recurring and conditional orders can only be market or limit orders, good for the day.',
      `Leave the other terms out. ${scheduleHint}`,
    );
  }
  if (timed.of !== undefined && timed.of.toLowerCase() !== symbol.toLowerCase()) {
    throw new NotUnderstoodError(
      `Should it wait for the price of ${timed.of} or of ${symbol.toUpperCase()}?`,
      `A conditional order can only wait for the price of its own symbol: "… if ${symbol.toUpperCase()} falls below 100".`,
    );
  }
  return { kind: 'standing', request, when: timed.when, ...(mayBeTotal ? { mayBeTotal } : {}) };
}

/** Maximum edit distance between a word and its correction. */
const maxDistance = (word: string) => (word.length <= 4 ? 1 : 2);
const MIN_WORD_LENGTH = 2;
/** Minimum length of a corrected word. Shorter words are similar to too many others. */
const MIN_CORRECTION_LENGTH = 3;
const MAX_WRONG_WORDS = 2;
const MAX_CANDIDATES = 40;

/**
 * Suggests a spelling correction, which the planner asks about. Suggests only words of the planner's grammar, and never
 * changes numbers or symbols.
 * @returns undefined if there is no correction, or if two corrections are equally close
 */
function suggestCorrection(text: string, isUnderstood: (sentence: string) => boolean): string | undefined {
  const vocabulary = [...new Set(commonPhrases.join(' ').split(' '))];
  const words = text.split(/\s+/);
  const choices = words.map((word) => {
    const bare = word.toLowerCase().replace(/[.,!?]+$/, '');
    if (!/^[a-z]+$/.test(bare) || bare.length < MIN_WORD_LENGTH || vocabulary.includes(bare)) return [];
    if (word.length > 1 && word === word.toUpperCase() && text !== text.toUpperCase()) return [];
    return vocabulary
      .map((known) => ({ known, off: distance(bare, known) }))
      .filter(({ known, off }) => off <= maxDistance(bare) && known.length >= MIN_CORRECTION_LENGTH);
  });
  const wrong = choices.flatMap((known, at) => (known.length > 0 ? [at] : []));
  if (wrong.length === 0 || wrong.length > MAX_WRONG_WORDS) return undefined;
  let tried: { readonly words: readonly string[]; readonly off: number }[] = [{ words, off: 0 }];
  for (const at of wrong) {
    tried = tried.flatMap((each) => [
      each,
      ...(choices[at] ?? []).map(({ known, off }) => ({
        words: each.words.with(at, known),
        off: each.off + off,
      })),
    ]);
  }
  const fitting = tried
    .filter(({ off }) => off > 0)
    .sort((one, two) => one.off - two.off)
    .slice(0, MAX_CANDIDATES)
    .map((each) => ({ sentence: each.words.join(' '), off: each.off }))
    .filter(({ sentence }) => isUnderstood(sentence));
  const [best, second] = fitting;
  return best === undefined || second?.off === best.off ? undefined : best.sentence;
}

const slots: Readonly<Record<string, string>> = {
  qty: '(?<qty>\\d[\\d.,]*)',
  price: '\\$?(?<price>\\d[\\d.,]*)',
  dollars: '\\$(?<dollars>\\d[\\d.,]*)',
  amount: '(?<amount>\\d[\\d.,]*)',
  symbol: '\\$?(?<symbol>[A-Za-z][A-Za-z0-9./&-]*)',
};

interface Pattern {
  readonly english: string;
  readonly pattern: RegExp;
  readonly language: LanguageRequests;
}

/** Compiled when the first sentence that is not English is parsed. */
let patterns: readonly Pattern[] | undefined;

/** Translates a known request into the planner's English. @throws {NotUnderstoodError} for an ambiguous number */
export function translateRequest(text: string): string | undefined {
  patterns ??= [german, spanish, korean].flatMap(compilePatterns);
  const clause = ` ${text
    .normalize('NFC')
    .replace(/^[¿¡]\s*/u, '')
    .replace(/\s+/g, ' ')
    .replace(/\$\s+(?=\d)/g, '$')}`;
  for (const { english, pattern, language } of patterns) {
    const found = pattern.exec(clause);
    if (found === null) continue;
    const { groups } = found;
    return english.replace(/\{(\w+)\}/g, (_, slot: string) => {
      if (slot === 'symbol') return groups?.symbol ?? '';
      if (slot !== 'money') return plainNumber(groups?.[slot] ?? '', language);
      return `$${plainNumber(groups?.dollars ?? groups?.amount ?? '', language)}`;
    });
  }
  return undefined;
}

function compilePatterns(language: LanguageRequests): Pattern[] {
  return language.requests.flatMap(([english, ...said]) =>
    said.map((template) => ({ english, pattern: compilePattern(template), language })),
  );
}

function compilePattern(template: string): RegExp {
  const source = template.split(' ').map((token) => {
    const isOptional = token.endsWith('?');
    const either = token
      .replace(/\?$/, '')
      .split('|')
      .map((word) =>
        word.replace(/[$.*+^()[\]\\]/g, '\\$&').replace(/\{(\w+)\}/g, (_, slot: string) => slots[slot] ?? ''),
      )
      .join('|');
    return isOptional ? `(?: (?:${either}))?` : ` (?:${either})`;
  });
  return new RegExp(`^${source.join('')}$`, 'iu');
}

/** Converts a number to a plain decimal. Whether points or commas separate thousands depends on the language. */
function plainNumber(written: string, { groupsByPoint }: LanguageRequests): string {
  if (!groupsByPoint || /^\d+$/.test(written)) return written;
  if (/^\d+[.,]\d{1,2}$/.test(written)) return written.replace(',', '.');
  const one = written.replace(/[.,]/g, '');
  throw new NotUnderstoodError(
    `I can't tell whether "${written}" is in thousands or has decimals.`,
    `Type it without periods or commas, as in ${one}, or with two decimals, as in 12.50.`,
    'invalid_order',
  );
}

/* Questions about risk, tax lots, wash sales, findings of the person's rules, and whether an order would pass them. */

const mine = '(?:portfolio|account)';

const fixed: readonly (readonly [RegExp, Intent])[] = [
  [
    wholeClausePattern(
      `${showPattern}my (?:risk|volatility|drawdown|concentration)|how (?:risky|volatile|concentrated|diversified) (?:am i|is my ${mine})|how much risk (?:do i have|am i taking)`,
    ),
    { kind: 'risk' },
  ],
  [
    wholeClausePattern(
      `${showPattern}(?:my |the |any )?(?:latest )?findings|what (?:do|does) my rules? (?:find|say)(?: now)?|what did (?:the|my) (?:last )?check find`,
    ),
    { kind: 'findings' },
  ],
  [
    wholeClausePattern(`${showPattern}(?:all )?(?:of )?(?:my )?tax lots|${showPattern}(?:all )?(?:of )?my lots`),
    { kind: 'lots' },
  ],
];

const lots = [
  wholeClausePattern(`${showPattern}(?:my |the )?(?:tax )?lots (?:of|in|for) (.+)`),
  wholeClausePattern(`${showPattern}my (\\S+) (?:tax )?lots`),
];

const wash = [
  /^(?:would|will|is) (?:it be a wash sale (?:if i (?:sell|sold)|to sell)|it a wash sale to sell) (.+?)(?: now| today)?$/i,
  /^(?:would|will|is|does) selling (.+?)(?: now| today)? (?:be|make|trigger|create|cause)? ?a wash sale(?: now| today)?$/i,
];

const passes = [
  /^(?:would|will|does|do) (.+) (?:pass|obey|keep to|stick to|be within|be allowed by) (?:my |the )?(?:rules|limits)$/i,
  /^(?:check|test|try) (.+) against (?:my |the )?(?:rules|limits)$/i,
];

function readAccount(clause: string): Intent | undefined {
  const known = fixed.find(([pattern]) => pattern.test(clause))?.[1];
  if (known !== undefined) return known;
  const of = firstGroup(lots, clause);
  if (of !== undefined) return { kind: 'lots', symbol: parseSingleSymbol(new WordReader(of), 'my lots of NVDA') };
  const sold = firstGroup(wash, clause);
  if (sold !== undefined) return readWash(sold);
  const order = firstGroup(passes, clause);
  return order === undefined ? undefined : readOrderToCheck(order);
}

function firstGroup(patterns: readonly RegExp[], clause: string): string | undefined {
  return patterns.map((pattern) => pattern.exec(clause)?.[1]).find((found) => found !== undefined);
}

function readWash(text: string): Intent {
  const words = new WordReader(text);
  words.takeAny('all of my', 'all my', 'my');
  const qty = words.quantity();
  if (qty !== undefined) {
    words.takeAny('shares of my', 'shares of', 'shares in', 'of my', 'my');
  }
  const symbol = parseSingleSymbol(words, 'would selling 10 shares of KO be a wash sale?');
  return { kind: 'wash', symbol, ...defined({ qty }) };
}

/** Parses the order that the person wants to have checked. `5 AAPL` is taken as a purchase, and the answer says so. */
function readOrderToCheck(text: string): Intent {
  const said = text
    .replace(/^["'“”‘’]|["'“”‘’]$/g, '')
    .replace(/^(?:an order )?to (?=buy|sell)/i, '')
    .replace(/^buying /i, 'buy ')
    .replace(/^selling /i, 'sell ');
  const order = parseOrder(new WordReader(/^[$\d]/.test(said) ? `buy ${said}` : said));
  if (order === undefined || order.fraction !== undefined) {
    throw new NotUnderstoodError(
      'Which order do you mean?',
      'Include the number of shares or dollars, as in "would buying 5 AAPL limit 180 pass my rules?".',
    );
  }
  return { kind: 'rules', request: order.request };
}
