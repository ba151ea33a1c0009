import { NotUnderstood } from './words.ts';

/**
 * What is wanted often, and is done elsewhere: it says what to type instead.
 * @throws {NotUnderstood} with that
 */
export function sayWhereItIs(clause: string): void {
  if (/^re-?balance\b/i.test(clause)) {
    throw new NotUnderstood(
      'I can’t rebalance in one sentence: I don’t know which positions are which part.',
      'Write the targets of each symbol into a rules file and run "trade-agent check --suggest": it proposes the fewest orders back to them (docs/CHECKS.md).',
    );
  }
}
