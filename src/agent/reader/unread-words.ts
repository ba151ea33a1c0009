import { phrase } from '../../text/phrase.ts';
import { isRisky, TRADES } from './clauses.ts';
import { type Intent, isUnresolvedName, listIntentSymbols } from './intent.ts';
import { readItems } from './items.ts';
import { lexiconFor } from './lexicon.ts';
import { createRefusal, type Refusal } from './refusal.ts';
import { isListedName } from './symbols-by-name.ts';

/* Offers an order without the words that were not understood: "sell 2 NVDA and treat yourself". */

const MAX_UNREAD = 3;

/** Words that may change a request's meaning, so that no order is offered if they are unread. */
const TURNING =
  /\b(?:not|no|never|none|dont|don't|unless|if|when|whenever|once|until|till|til|except|but|only|without|instead|or|nor|neither|maybe|perhaps|might|may|could|should|would|will|tomorrow|tonight|yesterday|later|after|before|soon|next|last|twice|double|triple|half|short|calls?|puts?|option|limit|stop|above|below|under|over|than|least|most|max|min|minus|per|each|every|another|other|both|all|margin|while|unlike|rather|almost|nearly|less|more|fewer|between|hundred|thousand|million|grand|dozen|couple|stake|dividend|am|pm|noon|morning|evening|open|close|day|week|month|year|in|from|into|to|through|via|account|sold|bought|gone|back|off|out|rid|away|lost|sale|purchase|order|was|were|is|are|has|had|did|does|went|been|mistake|wrong|bank|broker|of|for|with|get|on|at|by|the)\b/i;

/** Words that change a request's meaning from anywhere in the sentence. */
const CONDITIONAL = /\b(?:not|never|no|don't|dont|unless|if|when|until|without|instead|neither|nor)\b/i;

/** Returns whether a sentence has an act of its own. "I want 5 KO gone" has none. */
const isTrade = (text: string) => readItems(text).some(({ tags }) => TRADES.some((tag) => tags.includes(tag)));

/**
 * Returns an offer of the order without the unread words, or undefined if they may matter or there are several orders.
 * @param refusal the refusal that names the first unread word
 * @param read parses a sentence
 */
export function offerWithoutUnread(
  text: string,
  refusal: Refusal,
  read: (sentence: string) => { readonly intents: readonly Intent[] } | { readonly refusal: Refusal },
): Refusal | undefined {
  if (lexiconFor(text).name !== 'english' || CONDITIONAL.test(text) || !isTrade(text)) return undefined;
  const unread: string[] = [];
  let sentence = text;
  let { message } = refusal;
  while (unread.length < MAX_UNREAD) {
    const word = unreadIn(sentence, message);
    const shorter = word === undefined ? undefined : without(sentence, word);
    if (word === undefined || shorter === undefined) return undefined;
    unread.push(word);
    sentence = shorter;
    const parsed = read(sentence);
    if ('intents' in parsed) return isSingleOrder(parsed.intents) ? offerOf(sentence, unread) : undefined;
    message = parsed.refusal.message;
  }
  return undefined;
}

const offerOf = (sentence: string, unread: readonly string[]) =>
  createRefusal(
    'usage',
    phrase`I don't understand "${unread.join(', ')}". Did you mean "${sentence}"?`,
    phrase`Nothing has been done yet. Say "yes", or rephrase the request.`,
    sentence,
  );

function isHarmless(word: string): boolean {
  const isPlain = readItems(word).every(
    (item) =>
      !isRisky(item) &&
      item.quantity === undefined &&
      item.ticker === undefined &&
      item.isKnownName !== true &&
      !isListedName(item.name ?? ''),
  );
  return isPlain && !TURNING.test(word) && !/\d/.test(word);
}

/** Returns the words that the refusal of a sentence is about, if the order may be offered without them. */
function unreadIn(sentence: string, message: string): string | undefined {
  const named = /^I don't understand "([^"]+)" in this request/.exec(message)?.[1];
  const word = named === undefined || isHarmless(named) ? named : unknownName(sentence);
  return word !== undefined && isHarmless(word) ? word : undefined;
}

/** Returns the words that stand where the asset should, as in "sell 2 fluffy KO". */
const unknownName = (sentence: string) =>
  readItems(sentence).find(({ name, isKnownName }) => name !== undefined && !isKnownName && !isListedName(name))?.text;

/** Returns the sentence without a word, and without punctuation and "and" that would be left over. */
function without(sentence: string, word: string): string | undefined {
  const at = sentence.toLowerCase().indexOf(word.toLowerCase());
  if (at < 0 || /[\p{L}\p{N}]/u.test(sentence[at - 1] ?? '') || /[\p{L}\p{N}]/u.test(sentence[at + word.length] ?? ''))
    return undefined;
  return `${sentence.slice(0, at).trimEnd()} ${sentence.slice(at + word.length).trimStart()}`
    .replace(/(?:[,;]| and)+\s*([.!?]*)$/i, '$1')
    .replace(/\(\s*\)/g, '')
    .replace(/\s+([,.!?])/g, '$1')
    .replace(/ {2,}/g, ' ')
    .trim();
}

function isSingleOrder(intents: readonly Intent[]): boolean {
  const [order, ...more] = intents;
  if (order?.kind !== 'order' || more.length > 0) return false;
  return listIntentSymbols(order).every((symbol) => !isUnresolvedName(symbol) || isListedName(symbol));
}
