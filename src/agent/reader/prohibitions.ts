import { TRADES } from './clauses.ts';
import type { Item } from './item.ts';
import { isAsset } from './match.ts';

/* Recognizes sentences and clauses that only forbid an act. */

/**
 * Returns whether every act is forbidden, as in "don't sell my AAPL", or hypothetical: "had I bought it". In "don't buy
 * it, sell it", the second part ends the prohibition.
 */
export function isForbidden(clauses: readonly (readonly Item[])[]): boolean {
  let forbidden = 0;
  for (const clause of clauses) {
    let before = '';
    for (const { lower, tags } of clause) {
      if (tags.some((tag) => ['comma', 'end', 'question'].includes(tag))) before = '';
      else if (!TRADES.some((tag) => tags.includes(tag))) before = `${before} ${lower.replaceAll("'", '')}`;
      else if (FORBIDDING.test(before)) forbidden += 1;
      else if (!UNREAL.test(`${before} ${lower}`)) return false;
    }
  }
  return forbidden > 0;
}

const FORBIDDING =
  /(?<!why )\b(?:dont|not|never|wont|refuse to|no circumstances)(?: (?:to|dare|ever|even|just|please|yet|want|wanna|wish|intend|plan|need|like|think|me|you|to|that|we|i|should)){0,5}$/;
const UNREAL = /\bhad\b.* bought$/;

/** Meanings of the words of a clause that only forbids an act: "don't cancel the Apple order". */
const FORBIDDEN_PARTS = 'my order order_noun order_one of share position harmless comma limit stop a'.split(' ');

/** Returns whether a clause only forbids an act. If so, the act in the adjacent clause is the request. */
export function isOnlyForbidden(clause: readonly Item[]): boolean {
  const said = clause.filter((item) => isAsset(item) || !item.tags.includes('harmless'));
  const at = said.findIndex(({ tags }) => TRADES.some((tag) => tags.includes(tag)));
  const before = said.slice(0, at).map(({ lower }) => lower.replaceAll("'", ''));
  if (at < 1 || !/^(?:dont|do not|never|please dont|not)$/.test(before.join(' '))) return false;
  const rest = said.slice(at + 1);
  return (
    rest.some(isAsset) &&
    rest.every((item) => isAsset(item) || (!item.aside && item.tags.some((tag) => FORBIDDEN_PARTS.includes(tag))))
  );
}
