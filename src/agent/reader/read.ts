import { type Phrase, phrase } from '../../text/phrase.ts';
import { defined } from '../../values/defined.ts';
import { isOfOneAccount, requireUnambiguousAccount, takeAccount } from './account.ts';
import { readSend, readWatch } from './acts.ts';
import { readAlert, readAlertSchedule, readStopAlert } from './alert-acts.ts';
import { isRisky, REQUESTS, splitClauses, TRADES, withoutFirst } from './clauses.ts';
import { antecedentOf, withoutComments } from './comments.ts';
import { withPlainConditions } from './conditions.ts';
import { isUntouchable, isWithdrawn, withCorrections } from './corrections.ts';
import { withPlainLife } from './defaults.ts';
import { fillFrame, sideOf } from './frame.ts';
import { withImpliedAct, withSubject } from './implied-mentions.ts';
import { type Intent, isUnresolvedName, listIntentSymbols } from './intent.ts';
import type { Item } from './item.ts';
import { readItems } from './items.ts';
import { lexiconFor } from './lexicon.ts';
import { has, isAsset } from './match.ts';
import { withNeededMoney } from './needed-money.ts';
import { readOpenOrderWish, setsOpenOrder } from './open-order-wish.ts';
import { isAboutOption, readOption } from './option-frame.ts';
import { readCancel, readChange } from './order-acts.ts';
import { badNumber, toOrders } from './order-frame.ts';
import { readAfford, readRules, readWashSale } from './order-questions.ts';
import { withPlainBounds } from './price-bounds.ts';
import { isForbidden, isOnlyForbidden } from './prohibitions.ts';
import { readAllWeights, readRebalance, readTargetSize } from './rebalance-act.ts';
import {
  type AskedSlot,
  createRefusal,
  NotUnderstoodError,
  noAdviceError,
  QUESTION_MESSAGE,
  type Refusal,
  truncateWord,
} from './refusal.ts';
import { type Mention, readMentions } from './slots.ts';
import { suggestCorrection } from './spelling.ts';
import { readSwap } from './swap-act.ts';
import { isListedName, tickersByNickname } from './symbols-by-name.ts';
import { actFirst, requireSingleNumbers, withChangeFirst } from './taker.ts';
import {
  CERTAIN,
  findOrderLimit,
  isAsking,
  isImperative,
  isMusing,
  isRequestIn,
  nearestQuestions,
  readAside,
  readExplained,
  readTalk,
  readTopic,
  readWhole,
  SURE,
  stanceOf,
} from './topics.ts';
import { offerWithoutUnread } from './unread-words.ts';

/** A prompt's meaning. `asks` is the slot that the next turn can fill. */
export type ParsedPrompt =
  | { readonly intents: readonly Intent[] }
  | { readonly refusal: Refusal; readonly asks?: AskedSlot };

const HINT = phrase`Say "help" for examples, or use a language model with --model.`;

/** Maximum length of a prompt in characters. The planner does not read longer texts. */
const MAX_LENGTH = 1_000;

/**
 * Reads a prompt completely or not at all: every word must fill a slot or be known to change nothing. If a request may
 * be misspelled, the planner asks.
 * @param it the symbol that "it" refers to
 */
export function parsePrompt(prompt: string, it?: string): ParsedPrompt {
  const text = prompt.trim();
  const parsed = withOpenOrderWish(parseText(text, it), text);
  if ('intents' in parsed || parsed.refusal.code !== 'usage' || parsed.asks !== undefined || text.length > MAX_LENGTH)
    return parsed;
  if (parsed.refusal.offer !== undefined || FINAL.has(parsed.refusal.phrases.message)) return parsed;
  if (/^I (?:can't|don't have) /.test(parsed.refusal.message)) return parsed;
  const meant = suggestCorrection(text, (sentence) => {
    const read = parseText(sentence, it);
    return 'intents' in read && unresolvedNames(read.intents).every((name) => Object.hasOwn(tickersByNickname, name));
  });
  if (meant !== undefined) return { refusal: offerRefusal(meant) };
  const shorter = offerWithoutUnread(text, parsed.refusal, (sentence) => parseText(sentence, it));
  return shorter === undefined ? parsed : { refusal: shorter };
}

function offerRefusal(offer: string): Refusal {
  return createRefusal(
    'usage',
    phrase`Did you mean "${offer}"?`,
    phrase`Nothing has been done yet. Say "yes", or rephrase the request.`,
    offer,
  );
}

/** Reads a cancellation or a change of an open order in free word order, if the words have no other meaning. */
function withOpenOrderWish(parsed: ParsedPrompt, text: string): ParsedPrompt {
  // In other languages, a verb at the end may place an order that is described before it.
  if (text.length > MAX_LENGTH || lexiconFor(text).name !== 'english') return parsed;
  const [act, ...more] = 'intents' in parsed ? parsed.intents.filter(requestsAction) : [];
  const items = readItems(text);
  const isChange = act?.kind === 'order' && more.length === 0 && setsOpenOrder(items);
  const wish = (act !== undefined && !isChange) || isQuestion(items) ? undefined : readOpenOrderWish(items);
  if (wish !== undefined) return { intents: wish };
  // "reduce my KO order" is no sale, even if the new values are not understood.
  return isChange && has(items, 'trim') && has(items, 'order_noun')
    ? { refusal: notUnderstood(items).refusal }
    : parsed;
}

function parseText(text: string, it: string | undefined): ParsedPrompt {
  let clauses: Item[][] = [];
  try {
    if (text.length > MAX_LENGTH)
      throw new NotUnderstoodError(phrase`The request is too long for the built-in planner.`, HINT);
    const items = withNeededMoney(withoutFirst(readPlainItems(text)));
    requireNotWithdrawn(items);
    const whole = readUndivided(items, it);
    if (whole !== undefined) return { intents: whole };
    const named = antecedentOf(items);
    const plain = withoutComments(named?.rest ?? items);
    clauses = splitClauses(plain);
    return { intents: readRequests(plain, clauses, named?.symbol ?? it) };
  } catch (error) {
    if (!(error instanceof NotUnderstoodError)) throw error;
    const aside = readBeside(text, it);
    if (aside !== undefined) return { intents: aside };
    if (error.refusal.code !== 'usage') return toRefusal(error, text, clauses.length);
    if (isForbidden(clauses)) return { refusal: createRefusal('usage', FORBIDDEN, FORBIDDEN_HINT) };
    return readIdle(text, error) ?? toRefusal(orderLimit(error, clauses) ?? error, text, clauses.length);
  }
}

/**
 * Reads what only the whole sentence says. Target weights are read before comments are removed: "keep the rest in cash"
 * is a comment to a sale, but a target here.
 */
function readUndivided(items: readonly Item[], it: string | undefined): readonly Intent[] | undefined {
  const isAsked = isQuestion(items);
  const whole = readWhole(items, { it, isQuestion: isAsked });
  if (whole !== undefined || isAsked) return whole;
  const weights = readAllWeights(items);
  return weights === undefined ? undefined : [weights];
}

/** Reads a swap, or else the request of each clause. @throws {NotUnderstoodError} */
function readRequests(
  items: readonly Item[],
  clauses: readonly (readonly Item[])[],
  it: string | undefined,
): readonly Intent[] {
  const swap = isQuestion(items) ? undefined : readSwap(items, (sale) => readClause(sale, it));
  if (swap !== undefined) return [swap];
  const intents = readAll(clauses, it);
  if (intents.length === 0) throw new NotUnderstoodError(phrase`You did not ask for anything.`, HINT);
  requireUnambiguousAccount(intents);
  requireSeparable(intents, clauses);
  return intents;
}

/** Reads a sentence that makes no request: small talk, another person's words, or a thought about a trade. */
function readIdle(text: string, { asks, refusal }: NotUnderstoodError): ParsedPrompt | undefined {
  const hasQuestion = asks !== undefined || refusal.offer !== undefined;
  if (!hasQuestion && !/^I don't (?:understand|know what)/.test(refusal.message)) return undefined;
  const items = readItems(text.slice(0, MAX_LENGTH));
  const said = hasQuestion ? undefined : (readExplained(items) ?? readTalk(items));
  if (said !== undefined) return { intents: said };
  if (!hasQuestion && isMusing(items)) return { refusal: createRefusal('usage', STANCES.undecided, STANCE_HINT) };
  const act = items.findIndex(({ tags }) => TRADES.some((tag) => tags.includes(tag)));
  const stance = act < 0 ? undefined : stanceOf(items, act + 1);
  if (stance === undefined || (hasQuestion && stance === 'undecided')) return undefined;
  return { refusal: createRefusal('usage', STANCES[stance], STANCE_HINT) };
}

const STANCES = {
  reported: phrase`Someone else’s words are no order, so I haven't done anything.`,
  undecided: phrase`That isn’t a definite request, so I haven't done anything.`,
};
const STANCE_HINT = phrase`To trade, say "buy 5 AAPL" or "sell 5 AAPL". For facts, ask "quote AAPL" or "my AAPL position".`;

/** Returns the refusal of a request that was not understood, if it asks for something that no order can do. */
function orderLimit(error: NotUnderstoodError, clauses: readonly (readonly Item[])[]): NotUnderstoodError | undefined {
  const isUnread = error.refusal.message.startsWith(NOT_UNDERSTOOD) || error.refusal.message.startsWith(UNKNOWN_WORD);
  return isUnread && error.asks === undefined ? findOrderLimit(clauses.flat()) : undefined;
}

const FORBIDDEN = phrase`You said not to, so I haven't done anything.`;
const FORBIDDEN_HINT = phrase`To trade, leave the "not" out: "sell 5 AAPL".`;
/** Requires that the sentence does not take its order back. @throws {NotUnderstoodError} */
function requireNotWithdrawn(items: readonly Item[]): void {
  if (isWithdrawn(items) || isUntouchable(items)) throw new NotUnderstoodError(FORBIDDEN, FORBIDDEN_HINT);
}

/** Refusals of sentences that are understood, so that no correction of their spelling is offered. */
const FINAL: ReadonlySet<Phrase> = new Set([QUESTION_MESSAGE, FORBIDDEN, ...Object.values(STANCES)]);

const readPlainItems = (text: string) =>
  withPlainBounds(withPlainLife(withPlainConditions(withCorrections(readItems(text)))));

function readBeside(text: string, it: string | undefined): readonly Intent[] | undefined {
  try {
    return text.length > MAX_LENGTH ? undefined : readAside(readPlainItems(text), it);
  } catch (error) {
    if (error instanceof NotUnderstoodError) return undefined;
    throw error;
  }
}

/** Reads all clauses. Next to a question, skips a clause that is only a comment. @throws {NotUnderstoodError} */
function readAll(clauses: readonly (readonly Item[])[], it: string | undefined): Intent[] {
  const intents: Intent[] = [];
  const unread: NotUnderstoodError[] = [];
  for (const clause of clauses) {
    const read = readOrIgnore(clause, lastSymbol(intents) ?? it, clauses.length > 1);
    if (read === undefined) continue;
    if (read instanceof NotUnderstoodError) unread.push(read);
    else for (const intent of read) addOnce(intents, intent);
  }
  const [first] = unread;
  if (first !== undefined && (intents.length === 0 || intents.some(requestsAction))) throw first;
  return intents;
}

/**
 * Reads a clause. A clause next to a question may be only a comment, so its error is returned instead of thrown. For a
 * clause that only forbids an act, returns undefined.
 * @throws {NotUnderstoodError}
 */
function readOrIgnore(clause: readonly Item[], it: string | undefined, hasOthers: boolean) {
  if (hasOthers && isOnlyForbidden(clause)) return undefined;
  try {
    return readClause(clause, it);
  } catch (error) {
    const isComment = error instanceof NotUnderstoodError && error.refusal.message.startsWith(NOT_UNDERSTOOD);
    if (!isComment || !hasOthers || mayRequest(clause)) throw error;
    return error;
  }
}

/** Returns whether an unread clause may be a request: it has an act, or another risky word with an asset. */
function mayRequest(clause: readonly Item[]): boolean {
  const said = clause.filter(({ aside }) => !aside);
  const isAct = said.some(({ tags }) => TRADES.some((tag) => tags.includes(tag)));
  return isAct || (said.some(isRisky) && said.some((item) => isAsset(item) || item.quantity !== undefined));
}

/** Requires that no other request in the sentence may be a part of an order. @throws {NotUnderstoodError} */
function requireSeparable(intents: readonly Intent[], clauses: readonly (readonly Item[])[]): void {
  if (!intents.some(requestsAction)) return;
  if (intents.length > 1 && intents.some(({ kind }) => kind === 'rebalance')) {
    throw new NotUnderstoodError(
      phrase`A rebalance can't be combined with other requests.`,
      phrase`Ask for the rest separately.`,
    );
  }
  // A clause that is only a ticker may mean another order if it is next to an order.
  const isBare = (item: Item) => isAsset(item) || item.tags.some((tag) => tag === 'comma' || tag === 'harmless');
  const bare = clauses.find((clause) => clause.every(isBare))?.find(isAsset);
  if (bare === undefined) return;
  throw new NotUnderstoodError(
    phrase`I don't understand what to do with "${truncateWord(bare.text)}" in this request, so I haven't done anything.`,
    phrase`Give an instruction for each part, as in "buy 5 AAPL and quote MSFT".`,
  );
}

function toRefusal(error: NotUnderstoodError, text: string, clauses: number): ParsedPrompt {
  if (error.asks === 'near_miss') {
    const [said = '', instead = ''] = (error.refusal.offer ?? '').split('→');
    const at = text.toLowerCase().indexOf(said.toLowerCase());
    return {
      refusal:
        at < 0
          ? createRefusal(error.refusal.code, phrase`Do you mean "${instead}"?`, HINT, error.refusal.offer)
          : offerRefusal(text.slice(0, at) + instead + text.slice(at + said.length)),
    };
  }
  return { refusal: error.refusal, ...(clauses === 1 ? defined({ asks: error.asks }) : {}) };
}

const acting: readonly Intent['kind'][] = [
  'order',
  'standing',
  'swap',
  'target',
  'cancel',
  'replace',
  'rebalance',
  'send',
  'alert',
  'stop_alert',
  'watch',
];

function requestsAction({ kind }: Intent): boolean {
  return acting.includes(kind);
}

/** Adds an intent, unless it is a repeated question. A repeated order, message or watchlist change counts each time. */
function addOnce(intents: Intent[], intent: Intent): void {
  const isWhole = intent.kind === 'order' && intent.request.side === 'sell' && intent.fraction === '1';
  const counts = !isWhole && ['order', 'standing', 'swap', 'target', 'send', 'replace', 'watch'].includes(intent.kind);
  const text = JSON.stringify(intent);
  if (counts || !intents.some((other) => JSON.stringify(other) === text)) intents.push(intent);
}

export function lastSymbol(intents: readonly Intent[]): string | undefined {
  const last = intents.at(-1);
  const symbols = last === undefined ? [] : listIntentSymbols(last);
  return symbols.length === 1 ? symbols[0] : undefined;
}

/** Reads one clause. @throws {NotUnderstoodError} */
function readClause(items: readonly Item[], it: string | undefined): Intent[] {
  const { rest, account } = takeAccount(items);
  const intents = readWithoutAccount(rest, it);
  if (account === undefined) return intents;
  return intents.map((intent) => withAccount(intent, account));
}

function withAccount(intent: Intent, account: string): Intent {
  if (isOfOneAccount(intent)) return { ...intent, account };
  throw new NotUnderstoodError(
    phrase`That request can’t name an account.`,
    phrase`Pass --account ${JSON.stringify(account)} instead.`,
  );
}

function readWithoutAccount(items: readonly Item[], it: string | undefined): Intent[] {
  const asked = readWashSale(items) ?? readRules(items) ?? readAfford(items);
  if (asked !== undefined) return asked;
  if (has(items, 'advice') || isQuestion(items)) return readQuestion(items, it);
  if (items.some(isPoliteWould)) return readWithoutAccount(withoutPoliteWould(items), it);
  try {
    const plain = withoutInert(items);
    return readAct(plain, it) ?? readStatement(items, plain, it) ?? readOrders(plain, it);
  } catch (error) {
    const asked = error instanceof NotUnderstoodError && isAsking(items) ? tryQuestion(items, it) : undefined;
    if (asked !== undefined) return asked;
    throw error;
  }
}

/** Reads a clause that is not a request as a question with an unusual word order: "my cash how much". */
function tryQuestion(items: readonly Item[], it: string | undefined): Intent[] | undefined {
  const isRequest = items.some(({ tags }, at) => isRequestIn(items, at) || tags.some((tag) => REQUESTS.includes(tag)));
  if (isRequest) return undefined;
  return readTopic(items, { it, isQuestion: true, least: TRADES.some((tag) => has(items, tag)) ? CERTAIN : 0 });
}

/** Meanings that a word may have besides being inert. */
const IDLE = ['inert', 'field_qty', 'nobody', 'comment', 'harmless', 'i', 'is', 'ask', 'latest', 'half_day'];
const isReported = ({ lower }: Item) => /^\w+ing\b/.test(lower);

/**
 * Removes the words that change no request: "existing", "I need you", "definitely". Removes nothing from a report such
 * as "I am buying 5 AAPL".
 */
function withoutInert(items: readonly Item[]): readonly Item[] {
  const isReport = items.some(
    (item) => isReported(item) && ['buying', 'selling'].some((tag) => item.tags.includes(tag)),
  );
  const isChange = has(items, 'change') || has(items, 'alter');
  // In a change, "the quantity of" says which value changes.
  const isField = ({ tags }: Item) => isChange && tags.includes('field_qty');
  const isIdle = (item: Item) =>
    item.tags.includes('inert') && item.tags.every((tag) => IDLE.includes(tag)) && !isField(item);
  const kept = items.filter((item) => item.aside || isAsset(item) || !isIdle(item));
  return isReport || kept.length === 0 ? items : kept;
}

/** Reads "my cash" or "NVDA price", which imply a question. Returns undefined if a word may make a request. */
function readStatement(items: readonly Item[], plain: readonly Item[], it: string | undefined): Intent[] | undefined {
  // "realize my gains" asks for sales, not for a report.
  const isRealize = items.some(({ lower }) => /^reali[sz]e$/.test(lower)) || isImperative(items);
  if (startsOrder(plain) || isRealize || items.some((item) => item.aside || isRisky(item))) return undefined;
  const topic = readTopic(items, { it, isQuestion: false, least: 0 });
  const isNumbered = items.some(({ quantity, tags }) => quantity !== undefined && !tags.includes('year_number'));
  const isShown = has(items, 'what');
  const isFree = (intent: Intent) =>
    intent.kind === 'chart' || 'ranking' in intent || (isShown && numbered.includes(intent.kind));
  return isNumbered && topic?.some((intent) => !isFree(intent)) ? undefined : topic;
}

/** Kinds of questions that may contain a number. */
const numbered: readonly Intent['kind'][] = ['chart', 'activities', 'performance'];

/** Reads an act that is not about an order. */
function readAct(items: readonly Item[], it: string | undefined): Intent[] | undefined {
  const alerts = readAlert(items);
  if (alerts !== undefined) return alerts;
  const size = readTargetSize(it === undefined ? items : withAntecedent(items, it));
  if (size !== undefined) return [size];
  for (const read of [readStopAlert, readAlertSchedule, readSend, readWatch, readRebalance]) {
    const act = read(items);
    if (act !== undefined) return [act];
  }
  const cancels = actFirst(items, 'cancel');
  const cancelled = isCancel(cancels) ? readCancel(cancels) : undefined;
  if (cancelled !== undefined) return cancelled;
  const changed = readChange(withChangeFirst(actFirst(items, 'change')));
  return changed === undefined ? undefined : [changed];
}

/** Replaces the "it" after the verb with the asset that it refers to: "trim it so it's 10% of the account". */
function withAntecedent(items: readonly Item[], it: string): readonly Item[] {
  const at = items.findIndex(({ tags }) => tags.includes('it'));
  const asset = { text: it, lower: it.toLowerCase(), tags: [], aside: false };
  const named: Item = isUnresolvedName(it) ? { ...asset, name: it } : { ...asset, ticker: it };
  return at < 0 || items.some(isAsset) ? items : items.map((item, index) => (index === at ? named : item));
}

const HYPOTHETICAL = /^(?:would|could|(?:if|imagine|suppose)\b)/;

/** Reads a question, which never becomes an order. @throws {NotUnderstoodError} */
function readQuestion(items: readonly Item[], it: string | undefined): Intent[] {
  const isTrade = TRADES.some((tag) => has(items, tag));
  const isSure = has(items, 'advice') || (isTrade && items.some(({ lower }) => HYPOTHETICAL.test(lower)));
  if (!isSure && items.some((_, at) => isRequestIn(items, at))) {
    throw new NotUnderstoodError(
      phrase`I found a question and a request in one sentence, so I haven't done anything.`,
      phrase`Ask the question first, and then type the request by itself.`,
    );
  }
  const topic = readTopic(items, { it, isQuestion: true, least: isSure ? SURE : isTrade ? CERTAIN : 0 });
  if (topic !== undefined) return topic;
  throw isTrade || isSure ? noAdviceError() : notUnderstood(items);
}

function readOrders(items: readonly Item[], it: string | undefined): Intent[] {
  const option = isAboutOption(items) ? readOption(items) : undefined;
  if (option !== undefined) return [option];
  requireSingleNumbers(items);
  const mentions = withImpliedAct(withSubject(readMentions(items), it));
  const frame = mentions.some(({ kind }) => kind === 'act') ? fillFrame(mentions, it) : undefined;
  if (frame !== undefined && sideOf(frame) === undefined && frame.parts.some(({ assets }) => assets.length > 0)) {
    if (frame.acts.every((act) => act === 'place') && frame.unread.length === 0)
      return readWithoutAct(
        mentions.filter(({ kind }) => kind !== 'act'),
        it,
      );
  }
  if (frame === undefined && items.every(isKnown) && hasNoAct(mentions)) return readWithoutAct(mentions, it);
  // "double my KO order" is about the order, not about the position.
  const isOfOrder = frame?.acts.includes('grow') === true && (has(items, 'order') || has(items, 'order_noun'));
  if (frame === undefined || sideOf(frame) === undefined || isOfOrder) throw notUnderstood(items);
  return toOrders(frame);
}

const isKnown = ({ name, isKnownName }: Item) => name === undefined || isKnownName === true || isListedName(name);

/** Returns whether a clause says what to trade and how much, but has no act: "500 bucks of VOO". */
const hasNoAct = (mentions: readonly Mention[]) =>
  mentions.some(({ kind }) => kind === 'asset') &&
  mentions.some((one) => one.kind === 'size' && !('vague' in one.size)) &&
  mentions.every(({ kind }) => kind !== 'word' && kind !== 'number');

/** Reads "10% of my cash into VTI" and "place 5% of my portfolio in GLD" as purchases, and asks about other sentences. @throws {NotUnderstoodError} */
function readWithoutAct(mentions: readonly Mention[], it: string | undefined): Intent[] {
  const isSpent = mentions.some((one) => one.kind === 'size' && ('cash' in one.size || 'equity' in one.size));
  // Whoever wants to pay no more than a price buys.
  const isPaid = mentions.some((one) => one.kind === 'price' && one.role === 'most' && /\bpay/i.test(one.text));
  if (isSpent || isPaid) return toOrders(fillFrame([{ kind: 'act', act: 'invest', text: '' }, ...mentions], it));
  throw new NotUnderstoodError(phrase`Do you want to buy or sell?`, HINT);
}

const isCancel = (items: readonly Item[]) => {
  const first = items.find(({ tags }) => !tags.includes('harmless'));
  if (first?.tags.includes('cancel')) return true;
  const nouns = ['order_noun', 'order', 'order_buy', 'order_sell'];
  const isOrder = ({ tags }: Item) => nouns.some((tag) => tags.includes(tag));
  return first?.tags.includes('remove') === true && items.some(isOrder);
};

const ORDER_ACTS = [
  'double',
  'triple',
  'grow',
  'buy',
  'sell',
  'trim',
  'close',
  'leave',
  'protect',
  'invest',
  'place',
  'shorten',
];

/** Returns whether the clause begins with an order's act. Such a clause is not read as a question. */
function startsOrder(items: readonly Item[]): boolean {
  const first = items.find(({ tags }) => !tags.includes('harmless') || tags.some((tag) => ORDER_ACTS.includes(tag)));
  return first?.tags.some((tag) => ORDER_ACTS.includes(tag)) ?? false;
}

const NOT_UNDERSTOOD = "I don't understand";
const UNKNOWN_WORD = "I don't know what";
/** Meanings of words that occur only in a request about a position. */
const TRADED = ['share', 'position', 'all', 'half'];

function notUnderstood(items: readonly Item[]): NotUnderstoodError {
  const bad = items.find(({ quantity }) => quantity?.isBad);
  if (bad !== undefined) return badNumber(bad.text);
  const unknown = items.find((item) => !isKnown(item));
  if (unknown !== undefined && items.length > 1 && TRADED.some((tag) => has(items, tag))) {
    return new NotUnderstoodError(
      phrase`I don't know what "${truncateWord(unknown.text)}" means here, so I haven't done anything.`,
      phrase`Say it in other words. ${HINT}`,
    );
  }
  const near = nearestQuestions(items).map((say) => `"${say}"`);
  const hint = near.length === 0 ? HINT : phrase`Try ${near.join(', ')}, or "help".`;
  return new NotUnderstoodError(
    phrase`I don't understand "${truncateWord(items.map(({ text }) => text).join(' '))}".`,
    hint,
  );
}

const POLITE =
  /^(?:please|kindly|for me|for us|thanks|thank you)\b|\bplease$|^(?:can|could|will) you\b|^would you (?:please|kindly|be so kind)/;

/** Returns whether a question asks for an act: "would you buy me 5 AAPL?", "would you buy 5 AAPL, please". */
const isPoliteRequest = (items: readonly Item[]) =>
  items.some(({ lower, tags }) => POLITE.test(lower) || tags.includes('polite') || asksForAlert(tags)) ||
  items.some(
    ({ lower, tags }, at) =>
      (/ (?:me|us)$/.test(lower) && ['get', 'buy', 'sell'].some((tag) => tags.includes(tag))) ||
      (/^(?:me|us)$/.test(lower) && items[at - 1]?.tags.some((tag) => tag === 'buy' || tag === 'sell')),
  );

/** Returns whether words such as "let me know when" ask for an alert instead of an answer. */
const asksForAlert = (tags: readonly string[]) => tags.includes('alert') && !tags.includes('alerts');

const isPoliteWould = ({ lower, tags }: Item) => lower === 'would you' && tags.includes('ask');
const withoutPoliteWould = (items: readonly Item[]) => items.filter((item) => !isPoliteWould(item));

/** Returns whether the items begin with a question word, or end with a question mark and are not a polite request. */
function isQuestion(items: readonly Item[]): boolean {
  if (items.some(isPoliteWould)) return !isPoliteRequest(items);
  const first = items.find(({ tags }) => !tags.some((tag) => tag === 'harmless' || tag === 'comma' || tag === 'and'));
  // In Korean, Chinese and Japanese, the question word may come anywhere.
  const asks = ({ tags, lower }: Item) =>
    tags.includes('ask') && /[\p{Script=Hangul}\p{Script=Han}\p{Script=Hiragana}]/u.test(lower);
  if (first?.tags.includes('ask') || (items.some(asks) && !isPoliteRequest(items))) return true;
  return items.at(-1)?.tags.includes('question') === true && !isPoliteRequest(items);
}

export function unresolvedNames(intents: readonly Intent[]): string[] {
  return [...new Set(intents.flatMap(listIntentSymbols).filter(isUnresolvedName))];
}

export interface ReadClause {
  readonly mentions: readonly Mention[];
  readonly account?: string;
}

/** Reads the slots of each clause, even if they don't make a request. */
export function readClauses(text: string): ReadClause[] {
  return splitClauses(readPlainItems(text.slice(0, MAX_LENGTH))).map((clause) => {
    try {
      const { rest, account } = takeAccount(clause);
      return { mentions: readMentions(rest), ...defined({ account }) };
    } catch (error) {
      if (error instanceof NotUnderstoodError) return { mentions: [] };
      throw error;
    }
  });
}
