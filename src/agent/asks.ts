import { type BaseMessage, HumanMessage } from '@langchain/core/messages';
import { TradeAgentError } from '../trading/errors.ts';
import type { AgentStateValue } from './agent-state.ts';
import { readContext } from './system-prompt.ts';

/** Proposals for one prompt, where the person's own words name no more: who matches each with their words reads few. */
const MOST_ASKS = 5;

/** What a proposal may still ask of the person. */
export interface Asks {
  /** Which one of its prompt it would be, counted from 1. */
  readonly ordinal: number;
  /** So many may be asked for this prompt. */
  readonly most: number;
  /** The person said no to one of them. */
  readonly denied: boolean;
}

/** The budget of a message's calls that propose, in their order. */
export function asksOf(
  state: Pick<AgentStateValue, 'messages' | 'outcomes' | 'prompt'>,
): (index: number) => Asks {
  const asked = state.outcomes.filter((outcome) => outcome.prompt === state.prompt && outcome.asked === true);
  const denied = asked.some(({ error }) => error?.code === 'approval_denied');
  const most = Math.max(MOST_ASKS, ordersNamed(personsWords(state.messages).at(-1) ?? ''));
  return (index) => ({ ordinal: asked.length + index + 1, most, denied });
}

/** @throws {TradeAgentError} `approval_denied`, `blocked` where the person is not to be asked (again) */
export function requireAsks({ ordinal, most, denied }: Asks): void {
  if (denied) {
    throw new TradeAgentError(
      'approval_denied',
      'the user has just denied a proposal: no other is made now',
      {
        hint: 'Propose nothing more until the user asks for something anew.',
      },
    );
  }
  if (ordinal > most) {
    throw new TradeAgentError('blocked', `no more than ${most} proposals are made for one request`, {
      hint: 'The user can ask for the rest in a message of their own.',
    });
  }
}

/** What the person said themselves, oldest first: no standard input, no tool's result. */
export function personsWords(messages: readonly BaseMessage[]): string[] {
  return messages.flatMap((message) =>
    HumanMessage.isInstance(message) && readContext(message.text) === undefined ? [message.text] : [],
  );
}

/** Words in capitals that are no symbols. */
const noSymbols = new Set([
  ...[
    'A',
    'I',
    'OK',
    'AND',
    'OR',
    'BUY',
    'SELL',
    'SHORT',
    'STOP',
    'LIMIT',
    'MARKET',
    'LMT',
    'MKT',
    'STP',
    'TRAIL',
  ],
  ...[
    'AT',
    'TO',
    'OF',
    'FOR',
    'THEN',
    'ALL',
    'MY',
    'THE',
    'DAY',
    'GTC',
    'OPG',
    'CLS',
    'IOC',
    'FOK',
    'USD',
    'US',
  ],
  ...[
    'ETF',
    'PAPER',
    'LIVE',
    'SHARES',
    'CANCEL',
    'ORDER',
    'ORDERS',
    'SEND',
    'EACH',
    'WITH',
    'HALF',
    'PLEASE',
  ],
]);

/** How many orders a sentence names: the symbols in capitals, or the quantities that something follows, whichever is more. */
export function ordersNamed(text: string): number {
  const symbols = new Set(
    (text.match(/\b[A-Z]{1,5}(?:[./][A-Z]{1,2})?\b/g) ?? []).filter((word) => !noSymbols.has(word)),
  );
  const amounts = (
    text.match(
      /(?:^|[\s,;(])\$?\d[\d,.]*\s+(?:(?:shares?|dollars?|usd)\s+)?(?:of\s+|in\s+)?[A-Za-z]{1,5}\b/gi,
    ) ?? []
  ).filter((amount) => !noSymbols.has(amount.split(/\s+/).at(-1)?.toUpperCase() ?? ''));
  return Math.max(symbols.size, amounts.length);
}
