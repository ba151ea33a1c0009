import { TradeAgentError } from '../errors/errors.ts';
import { safeLine } from '../text/shown-text.ts';

/** Characters of an id, what stands before its first `_` or `-` of two letters left aside: fewer are a slip of the finger. */
const SHORTEST = 3;
const MOST_LISTED = 10;

/** What ids of one sort are. */
export interface Ids {
  /** `orders` */
  readonly called: string;
  /** As a whole one looks: it is looked up without a list. */
  readonly whole: RegExp;
  /** All that may be meant. */
  readonly list: () => Promise<readonly string[]>;
}

/**
 * The one id that begins with what was typed. What is whole, or begins none, comes back as it is: whoever looks it up
 * says what is wrong with it.
 * @throws {TradeAgentError} `usage` where several begin so, naming them; or where it is too short to mean one
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
