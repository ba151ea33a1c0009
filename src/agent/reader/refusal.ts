import type { ErrorCode } from '../../errors/errors.ts';
import { type Phrase, phrase, type Say } from '../../text/phrase.ts';
import { defined } from '../../values/defined.ts';

export const REFUSAL_KEY = 'trade_agent_refusal';

export interface PlannerRefusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  /** The sentence that the person can accept with "yes". */
  readonly offer?: string;
}

/** A refusal in English, with the phrases for translating it. */
export interface Refusal extends PlannerRefusal {
  readonly phrases: { readonly message: Phrase; readonly hint: Phrase };
}

export function createRefusal(code: ErrorCode, message: Phrase, hint: Phrase, offer?: string): Refusal {
  return { code, message: `${message}`, hint: `${hint}`, phrases: { message, hint }, ...defined({ offer }) };
}

export function translateRefusal(say: Say, { phrases, ...refusal }: Refusal): PlannerRefusal {
  return { ...refusal, message: phrases.message.in(say), hint: phrases.hint.in(say) };
}

/**
 * The slot that a question asks for. `append` adds the answer to the end of the sentence. `count` replaces a part of
 * the position with the answer.
 */
export type AskedSlot = 'size' | 'count' | 'unit' | 'limit' | 'stop' | 'append' | 'near_miss';

/** Thrown when a request can't be read or is ambiguous. Its message becomes the answer. */
export class NotUnderstoodError extends Error {
  readonly refusal: Refusal;
  readonly asks: AskedSlot | undefined;

  /**
   * Creates the error.
   * @param offer the sentence that the person can accept with "yes"
   * @param asks the slot that the next turn can fill
   */
  constructor(message: Phrase, hint: Phrase, code: ErrorCode = 'usage', offer?: string, asks?: AskedSlot) {
    super(`${message}`);
    this.asks = asks;
    this.refusal = createRefusal(code, message, hint, offer);
  }
}

export const QUESTION_MESSAGE = phrase`That's a question, so I haven't done anything.`;
const ADVICE_HINT = phrase`I can't give advice. To place an order, say "buy 5 AAPL"; for facts, ask "quote AAPL" or "would buying 5 AAPL pass my rules?".`;

/** Returns the error for a question that was not understood. @param symbol the symbol in the question */
export function noAdviceError(symbol = 'AAPL'): NotUnderstoodError {
  return new NotUnderstoodError(QUESTION_MESSAGE, ADVICE_HINT.about(symbol));
}

export function truncateWord(word: string): string {
  return word.length > 40 ? `${word.slice(0, 39)}…` : word;
}
