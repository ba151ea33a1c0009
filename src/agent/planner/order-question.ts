import type { Intent } from './intent.ts';
import { NotUnderstood } from './words.ts';

/*
 * "would you buy 5 AAPL?" and "should I sell?" ask for an opinion, "could you buy 5 AAPL?" for the order. A question
 * never becomes an order.
 */

const isPolite =
  /\b(?:please|kindly|for me)\b|\b(?:thanks|thank you)[\s.!?]*$|\bwould you (?:buy|purchase|get|sell) (?:me|us)\b/i;
const would = /\bwould you\b[\s,]*/i;

/** Removes the "would you" of a polite request. */
export function withoutPoliteWould(sentence: string): string {
  return isPolite.test(sentence) ? sentence.replace(would, '') : sentence;
}

const trades: readonly Intent['kind'][] = ['order', 'standing', 'cancel', 'replace', 'rebalance'];

/** "would you show my portfolio" is a request. @throws {NotUnderstood} for a trade */
export function readWould(clause: string, parse: (clause: string) => Intent): Intent | undefined {
  if (!/^would you /i.test(clause)) return undefined;
  const intent = parse(clause.replace(would, ''));
  if (trades.includes(intent.kind)) throw new NotUnderstood(MESSAGE, HINT);
  return intent;
}

const MESSAGE = "That's a question, so I haven't done anything.";
const HINT =
  'I can\'t advise. To have it done, say "buy 5 AAPL"; for facts, ask "quote AAPL" or "would buying 5 AAPL pass my rules?".';

const opens = [
  "should|shall|would|ought|(?:should|would|could)n't",
  "i wonder|i am wondering|i'm wondering",
  '(?:can|could|may|might) (?:i|we)',
  '(?:can|could) you imagine',
  'what (?:if|happens|would|should)|why|how about|whether|when (?:should|would|shall)',
  'do(?:es)? (?:you|it|i|we)',
  '(?:is|was) (?:it|now|this|that|\\S+ an?)',
].join('|');
const question = new RegExp(
  `(?:^|[.;,!?]\\s*|\\b(?:and|then|but|hey|hi|hello|ok|okay|so|please)[\\s,]+)(?:${opens})\\b[^.;]*\\b(?:buy|buying|bought|sell|selling|sold|purchase|purchasing|purchased|dump|dumping|close|closing|cancel|cancelling|canceling)\\b`,
  'i',
);
/** Questions about an order that can be answered. */
const isOfFacts = /\b(?:rules|limits|wash sale)\b/i;

export function answerToQuestion(sentence: string): NotUnderstood | undefined {
  return question.test(sentence) && !isOfFacts.test(sentence) ? new NotUnderstood(MESSAGE, HINT) : undefined;
}
