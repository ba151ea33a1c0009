import { type Intent, listIntentSymbols, mapSymbols } from './intent.ts';
import { type ParsedPrompt, parsePrompt, stripCourtesies } from './sentence.ts';
import { NotUnderstoodError, WordReader } from './words.ts';

interface UnderstoodTurn {
  readonly parsed: ParsedPrompt;
  /** The planner's corrected sentence, if the person accepted it with "yes". */
  readonly accepted?: string;
}

const yes =
  /^(?:yes|yep|yeah|yup|sure|correct|right|exactly|that one|that's right|i do|do it|do that|yes do it|yes,? (?:i do|do it|do that|exactly|right)|go ahead|go for it)$/i;
const sameFor = /^(?:and |now )?(?:do )?(?:the )?same (?:thing )?(?:for|with) (.+)$/i;
const about = /^(?:and )?(?:what|how) about (.+)$/i;
const andThat = /^and (?:for )?(\$?[A-Za-z][A-Za-z0-9.]*)$/i;

const MAX_TURNS = 20;

/**
 * Parses the newest turn, which may refer to previous turns: a "yes" to a spelling question, "the same for KO", or
 * "what about MSFT?". If the meaning is ambiguous, the planner asks.
 * @param turns the person's own turns, newest last
 */
export function parseNewestTurn(turns: readonly string[]): UnderstoodTurn {
  const turn = stripCourtesies(turns.at(-1) ?? '').replaceAll('’', "'");
  const earlier = turns.slice(Math.max(0, turns.length - MAX_TURNS), -1);
  try {
    if (yes.test(turn)) return acceptOffer(earlier);
    const same = sameFor.exec(turn)?.[1];
    if (same !== undefined) return { parsed: { intents: [repeatFor(earlier, same)] } };
    const other = about.exec(turn)?.[1] ?? (earlier.length > 0 ? andThat.exec(turn)?.[1] : undefined);
    if (other !== undefined) return { parsed: { intents: [answerWhatAbout(earlier, other)] } };
  } catch (error) {
    if (error instanceof NotUnderstoodError) return { parsed: { refusal: error.refusal } };
    throw error;
  }
  return { parsed: parsePrompt(turns.at(-1) ?? '') };
}

function acceptOffer(earlier: readonly string[]): UnderstoodTurn {
  const before = earlier.length === 0 ? undefined : parseNewestTurn(earlier).parsed;
  const offer = before !== undefined && 'refusal' in before ? before.refusal.offer : undefined;
  if (offer === undefined) {
    throw new NotUnderstoodError(
      "I haven't asked you a yes-or-no question.",
      'Type the whole request, as in "buy 5 AAPL".',
    );
  }
  return { parsed: parsePrompt(offer), accepted: offer };
}

function previousIntent(earlier: readonly string[], hint: string): Intent {
  const parsed = earlier.length === 0 ? undefined : parseNewestTurn(earlier).parsed;
  const intents = parsed !== undefined && 'intents' in parsed ? parsed.intents : [];
  const [intent] = intents;
  if (intent !== undefined && intents.length === 1 && listIntentSymbols(intent).length > 0) return intent;
  throw new NotUnderstoodError('I don’t know which earlier request you mean.', hint);
}

const wholeOrder = 'Type the whole request, as in "buy 5 KO" or "quote KO".';
const pricesOfOne = ['limit_price', 'stop_price', 'trail_price', 'order_class'];

function repeatFor(earlier: readonly string[], text: string): Intent {
  const symbol = readSymbol(text);
  const intent = previousIntent(earlier, wholeOrder);
  if (listIntentSymbols(intent).length > 1) {
    throw new NotUnderstoodError('Your last request had several symbols.', wholeOrder);
  }
  if (
    intent.kind === 'replace' ||
    (intent.kind === 'order' && pricesOfOne.some((name) => name in intent.request)) ||
    (intent.kind === 'alert' && (intent.alert.above ?? intent.alert.below) !== undefined) ||
    (intent.kind === 'standing' && ('limit_price' in intent.request || intent.when.every === undefined))
  ) {
    throw new NotUnderstoodError(
      `The earlier price was for ${listIntentSymbols(intent)[0]?.toUpperCase()}. What is the price for ${symbol.toUpperCase()}?`,
      `Type the whole request, as in "buy 5 ${symbol.toUpperCase()} limit 60".`,
    );
  }
  return mapSymbols(intent, () => symbol);
}

function answerWhatAbout(earlier: readonly string[], text: string): Intent {
  const symbol = readSymbol(text);
  const intent = previousIntent(earlier, wholeOrder);
  switch (intent.kind) {
    case 'quote':
      return { kind: 'quote', symbols: [symbol] };
    case 'chart':
    case 'portfolio':
      return mapSymbols(intent, () => symbol);
    default:
      throw new NotUnderstoodError(
        `Do you want the price of ${symbol.toUpperCase()}, or the same request for it?`,
        `Say "quote ${symbol.toUpperCase()}" or "the same for ${symbol.toUpperCase()}".`,
      );
  }
}

function readSymbol(text: string): string {
  const words = new WordReader(text);
  const symbol = words.symbol('Try "the same for KO".');
  words.takeAny('stock', 'shares', 'too', 'as well');
  if (words.done) return symbol;
  throw new NotUnderstoodError(`I don't understand "${words.rest()}" here.`, wholeOrder);
}
