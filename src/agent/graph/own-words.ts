import { TradeAgentError } from '../../errors/errors.ts';
import { addSchedule } from '../../tools/add-schedule.ts';
import { setAlert } from '../../tools/set-alert.ts';
import { alertSchema, conditionOf } from '../../trading/alert.ts';
import { Dec } from '../../trading/decimal.ts';
import { understand } from '../planner/conversation.ts';
import { isName, symbolsOf } from '../planner/intent.ts';
import { readingsOf } from '../planner/person-words.ts';
import { symbolIfNamed } from '../planner/symbols-by-name.ts';
import type { ConversationFacts } from './conversation-facts.ts';

/*
 * A model may write only what the person said into the person's own files. No phone approval guards these, so the words
 * decide; whatever is not recognized counts as not said.
 */

interface LocalCall {
  readonly name: string;
  readonly args: unknown;
  readonly facts: ConversationFacts;
  readonly tainted: readonly string[];
}

/**
 * An alert's symbol must be in the person's own words, and its price too once outside text has entered the
 * conversation. A schedule must be what their newest message asks for, by the planner's grammar.
 * @throws {TradeAgentError} `blocked`
 */
export function requireOwnWords({ name, args, facts, tainted }: LocalCall): void {
  const { symbol, every } = args as { symbol?: string; every?: string };
  if (name === addSchedule.name) {
    const { parsed } = understand(facts.said);
    const intents = facts.composedBy === undefined && 'intents' in parsed ? parsed.intents : [];
    if (intents.some((intent) => intent.kind === 'look' && intent.every === every)) return;
    throw notSaid(
      'the user’s latest message asks for no such schedule',
      'Ask the user to say it as in "check my alerts every 15 minutes", or to type: trade-agent schedule add.',
    );
  }
  if (symbol === undefined || !isSymbolSaid(facts, symbol)) {
    throw notSaid(
      `the user has not named ${symbol ?? 'a symbol'}`,
      'Only what the user asks for themselves is written. Where they named a company, look it up with search_symbols first.',
    );
  }
  if (name !== setAlert.name || tainted.length === 0) return;
  const { limit } = conditionOf(alertSchema.parse(args));
  if (isNumberSaid(facts, symbol, limit.replace('%', ''))) return;
  throw notSaid(
    `the user has not said ${limit}`,
    'Text from outside has come into this conversation, so the price must be in the user’s own words: ask them for it.',
  );
}

function isSymbolSaid({ said, names = [] }: ConversationFacts, symbol: string): boolean {
  return said.some((_, at) => {
    const turns = said.slice(0, at + 1);
    const { parsed } = understand(turns);
    const named = 'intents' in parsed ? parsed.intents.flatMap(symbolsOf) : [];
    const tickers = named.map((one) =>
      isName(one) ? (symbolIfNamed(one, names) ?? one.toUpperCase()) : one,
    );
    return tickers.includes(symbol) || readingsOf(turns, symbol, names).some((reading) => reading.symbol);
  });
}

function isNumberSaid({ said, names = [] }: ConversationFacts, symbol: string, value: string): boolean {
  return said.some((_, at) =>
    readingsOf(said.slice(0, at + 1), symbol, names).some(({ numbers }) =>
      numbers.some((number) => new Dec(number.value).eq(value)),
    ),
  );
}

function notSaid(message: string, hint: string): TradeAgentError {
  return new TradeAgentError('blocked', message, { hint });
}
