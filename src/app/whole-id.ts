import { TradeAgentError } from '../errors/errors.ts';
import { safeLine } from '../text/shown-text.ts';

/** The least characters of a prefix, not counting one such as `pr_`; fewer are a typo. */
const SHORTEST = 3;
const MOST_LISTED = 10;

export interface Ids {
  /** `orders` */
  readonly called: string;
  /** Matches a complete id, which is used without a list. */
  readonly whole: RegExp;
  readonly list: () => Promise<readonly string[]>;
}

/**
 * Completes an id's beginning. A complete id, or one that matches none, is returned as it is: the lookup reports it.
 * @throws {TradeAgentError} `usage` where several match, naming them; or where it is too short
 */
export async function wholeId(typed: string, { called, whole, list }: Ids): Promise<string> {
  if (whole.test(typed)) return typed;
  const ids = [...new Set(await list())];
  if (typed === '' || ids.includes(typed)) return typed;
  const begun = ids.filter((id) => id.startsWith(typed));
  const [only] = begun;
  if (only === undefined) return typed;
  if (typed.replace(/^[A-Za-z]{1,2}[_-]/, '').length < SHORTEST) {
    throw new TradeAgentError('usage', `"${safeLine(typed)}" is too short for an id`, {
      hint: `Type ${SHORTEST} characters of it at least: ${inAList(begun)}.`,
    });
  }
  if (begun.length === 1) return only;
  throw new TradeAgentError('usage', `"${safeLine(typed)}" begins the ids of ${begun.length} ${called}`, {
    hint: `Type more of it: ${inAList(begun)}.`,
  });
}

function inAList(ids: readonly string[]): string {
  const more = ids.length > MOST_LISTED ? `, and ${ids.length - MOST_LISTED} more` : '';
  return `${ids
    .slice(0, MOST_LISTED)
    .map((id) => safeLine(id, 64))
    .join(', ')}${more}`;
}
