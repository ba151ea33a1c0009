import { isTradeAgentError } from '../../trading/errors.ts';
import { checkRecipient, type MessageService } from '../../trading/message.ts';
import { type OrderIntent, readOrderSentence } from './order-sentence.ts';
import type { PlannerRefusal } from './refusal.ts';
import { NotUnderstood, shown, Words } from './words.ts';

/** What one clause asks for. */
export type Intent =
  | OrderIntent
  | { readonly kind: 'whoami' }
  | { readonly kind: 'portfolio' }
  | { readonly kind: 'quote'; readonly symbols: readonly string[] }
  | { readonly kind: 'orders'; readonly status: 'open' | 'closed' | 'all' }
  /** `which`: an order's id, a symbol's one order, all of a symbol's, or all there are. */
  | {
      readonly kind: 'cancel';
      readonly which:
        | { readonly id: string }
        | { readonly symbol: string; readonly many: boolean }
        | { readonly all: true };
    }
  /** A summary of the portfolio, to somebody elsewhere. */
  | { readonly kind: 'send'; readonly service: MessageService; readonly recipient: string }
  | { readonly kind: 'help' };

export type Parsed = { readonly intents: readonly Intent[] } | { readonly refusal: PlannerRefusal };

const HINT =
  'The built-in planner understands such as "what do I own", "quote AAPL", "buy 5 AAPL limit 180", "sell half my MSFT", "open orders", "cancel my AAPL order"; "help" says all of it. For more, use a language model with --model.';

/** A prompt longer than this is prose, not a request. */
const MAX_LENGTH = 1_000;

const between =
  /\s*(?:;|\n|\.\s+|,?\s+and\s+then\s+|,?\s+then\s+|,?\s+and\s+|,\s+(?=(?:buy|sell|purchase|cancel|quote|list|show)\b))\s*/i;

const courtesy =
  /^(?:(?:hey|hi|hello|ok|okay|so|now|please|just|can you|could you|would you|i want to|i'd like to|i would like to|let's|let us|go ahead)[\s,]+)+/i;

/**
 * Parses a prompt wholly or not at all: of "buy 5 AAPL and frobnicate" nothing is done, since half a plan may be worse
 * than none.
 */
export function parsePrompt(prompt: string): Parsed {
  try {
    const text = prompt.trim();
    if (text.length > MAX_LENGTH) throw new NotUnderstood('That is too long for the built-in planner.', HINT);
    const intents: Intent[] = [];
    for (const clause of clausesOf(text)) {
      const last = intents.at(-1);
      const more = last?.kind === 'quote' ? bareSymbols(clause) : undefined;
      if (last?.kind === 'quote' && more !== undefined) {
        intents[intents.length - 1] = { kind: 'quote', symbols: [...last.symbols, ...more] };
      } else {
        const intent = parseClause(clause);
        if (
          intent.kind === 'order' ||
          intent.kind === 'send' ||
          !intents.some(({ kind }) => kind === intent.kind && kind !== 'cancel' && kind !== 'quote')
        ) {
          intents.push(intent);
        }
      }
    }
    if (intents.length === 0) throw new NotUnderstood('You did not ask for anything.', HINT);
    return { intents };
  } catch (error) {
    if (error instanceof NotUnderstood) return { refusal: error.refusal };
    throw error;
  }
}

/** What stands between the ands, thens and full stops. */
export function clausesOf(text: string): string[] {
  return text
    .split(between)
    .map(bare)
    .filter((clause) => clause !== '');
}

/** A clause without courtesies and final punctuation. */
function bare(clause: string): string {
  return clause
    .trim()
    .replace(courtesy, '')
    .replace(/[\s,]*(?:please|thanks|thank you|for me)?[\s.!?]*$/i, '')
    .trim();
}

const fixed: readonly (readonly [RegExp, Intent])[] = [
  [/^(help|what can you do|what do you understand|commands|hi|hello|hey|\?)$/, { kind: 'help' }],
  [
    /^(who ?am ?i|whoami|who is (logged|signed) in|am i (logged|signed) in|what(?:'s| is) my name|my name)$/,
    { kind: 'whoami' },
  ],
  [
    /^(what (?:stocks |shares |positions )?do i (own|have|hold)|what (?:am i|i'm) holding|how am i doing|how(?:'s| is| are) my (portfolio|account|positions|stocks|holdings)(?: doing)?|(?:how much )?(?:cash|money|buying power)(?: do i have)?|what(?:'s| is) my (?:p\/?l|profit|portfolio worth|account worth)|what(?:'s| is| are)(?: in)? my (portfolio|account|positions|holdings|balance|cash|cash balance|buying power|equity)|(?:(?:show|list|see|view|get|display|give)(?: me)? )?(?:my |the )?(portfolio|positions|holdings|account|balance|cash|cash balance|buying power|equity))$/,
    { kind: 'portfolio' },
  ],
  [
    /^(?:(?:list|show|see|view|get)(?: me)? )?(?:all )?(?:of )?(?:my |the )?(?:open|pending|working) orders$|^(?:what|which) orders are open$|^(?:(?:list|show|see|view|get)(?: me)? )?(?:my |the )?orders$|^what(?:'s| is) pending$/,
    { kind: 'orders', status: 'open' },
  ],
  [
    /^(?:(?:list|show|see|view|get)(?: me)? )?(?:my |the )?(?:closed|filled|past|done) orders$/,
    { kind: 'orders', status: 'closed' },
  ],
  [
    /^(?:(?:list|show|see|view|get)(?: me)? )?(?:my )?(?:all (?:of )?(?:my |the )?orders|order history|orders history)$/,
    { kind: 'orders', status: 'all' },
  ],
  [
    /^cancel (?:all|every|everything|all (?:of )?(?:my |the )?(?:open |pending )?orders?)$/,
    { kind: 'cancel', which: { all: true } },
  ],
];

/** @throws {NotUnderstood} */
function parseClause(clause: string): Intent {
  const lower = clause.toLowerCase().replaceAll('’', "'").replace(/\s+/g, ' ');
  const known = fixed.find(([pattern]) => pattern.test(lower));
  if (known !== undefined) return known[1];
  const send = readSend(clause.replaceAll('’', "'"));
  if (send !== undefined) return send;
  const words = new Words(clause);
  if (words.takeAny('buy', 'purchase')) return readOrderSentence(words, 'buy');
  if (words.take('sell')) return readOrderSentence(words, 'sell');
  if (words.take('cancel')) return readCancel(words);
  const symbols = readQuote(clause.replaceAll('’', "'"));
  if (symbols !== undefined) return { kind: 'quote', symbols };
  throw new NotUnderstood(`I don't understand "${shown(clause)}".`, HINT);
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

/** @throws {NotUnderstood} for a recipient that is none */
function readSend(clause: string): Intent | undefined {
  const found = sendPatterns.flatMap(([service, pattern]) => {
    const recipient = pattern.exec(clause)?.[1];
    // An address is no channel: "send my portfolio to bob@example.com" is an e-mail.
    const fits = recipient !== undefined && (service === 'gmail' || !recipient.includes('@'));
    return fits ? [{ kind: 'send', service, recipient } as const] : [];
  })[0];
  if (found === undefined) return undefined;
  try {
    checkRecipient(found.service, found.recipient);
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    throw new NotUnderstood(`"${shown(found.recipient)}": ${error.message}.`, error.hint ?? HINT, error.code);
  }
  return found;
}

const quotePatterns = [
  /^(?:(?:show|get|give)(?: me)? )?(?:a |the |me )?(?:current )?(?:quotes?|prices?)(?: (?:of|for|on))? (.+)$/i,
  /^(?:what(?:'s| is| are)) (?:the )?(?:current )?(?:price|prices|quote|quotes) (?:of|for) (.+)$/i,
  /^(?:what(?:'s| is)) (\S+) (?:trading at|worth|at)$/i,
  /^how much (?:is|does) (?:a share of )?(\S+)(?: cost| worth| trading at)?$/i,
  /^(?:what(?:'s| is) )?(?:the )?(\S+) (?:price|quote)$/i,
];

function readQuote(clause: string): string[] | undefined {
  for (const pattern of quotePatterns) {
    const list = pattern.exec(clause)?.[1];
    if (list === undefined) continue;
    const words = new Words(list.replaceAll(',', ' '));
    const symbols: string[] = [];
    while (!words.done) symbols.push(words.symbol());
    if (symbols.length > 20)
      throw new NotUnderstood('That is more than 20 symbols.', 'Ask for fewer at once.');
    return symbols;
  }
  return undefined;
}

/** `MSFT` or `MSFT, NVDA` after "quote AAPL and". */
function bareSymbols(clause: string): string[] | undefined {
  const words = clause.split(/[\s,]+/).filter((word) => word !== '');
  const all = words.every((word) => /^[A-Z][A-Z0-9]{0,9}([./][A-Z0-9]{1,4})?$/.test(word));
  return all && words.length > 0 ? words : undefined;
}

/** @throws {NotUnderstood} */
function readCancel(words: Words): Intent {
  const all = words.take('all');
  words.take('of');
  words.takeAny('my', 'the');
  words.take('open');
  if (words.take('order')) {
    const id = words.next();
    if (words.done && /^[A-Za-z0-9][A-Za-z0-9_-]{7,63}$/.test(id)) return { kind: 'cancel', which: { id } };
    throw new NotUnderstood(
      'I miss the order’s id.',
      'Ask "open orders" for the ids, then "cancel order ID".',
    );
  }
  if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(words.peek()))
    return { kind: 'cancel', which: { id: words.next() } };
  const symbol = words.symbol('Write "cancel my AAPL order".');
  const many = words.take('orders') || all;
  if (!many && !words.take('order')) {
    throw new NotUnderstood(
      `I don't understand "cancel ${shown(symbol)} ${shown(words.rest())}".`,
      'Write "cancel my AAPL order".',
    );
  }
  if (!words.done) {
    throw new NotUnderstood(
      `I don't understand "${shown(words.rest())}" after the cancel.`,
      'Write "cancel my AAPL order".',
    );
  }
  return { kind: 'cancel', which: { symbol, many } };
}
