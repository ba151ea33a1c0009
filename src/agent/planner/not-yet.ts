import { NotUnderstood } from './words.ts';

/**
 * What is wanted often, and is done elsewhere: it says what to type instead.
 * @throws {NotUnderstood} with that
 */
export function sayWhereItIs(clause: string): void {
  if (/^re-?balance\b/i.test(clause)) {
    throw new NotUnderstood(
      'Which symbol is which part?',
      'Write each with its part of the account, 100% together: "rebalance to 60% VTI 40% BND", "rebalance to 60% VTI 30% BND 10% cash". Targets kept in a rules file are what "trade-agent check --suggest" goes back to (docs/guide/CHECKS.md).',
    );
  }
}
