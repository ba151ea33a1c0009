import { TradeAgentError } from '../errors/errors.ts';
import { safeLine } from '../text/sanitize.ts';

/** Minimum length of a prefix, not counting a type prefix such as `pr_`. Shorter text is probably a typo. */
const MIN_PREFIX_LENGTH = 3;
const MAX_LISTED = 10;

export interface IdSource {
  readonly called: string;
  /** Matches a complete ID. Such an ID is returned without requesting the list. */
  readonly whole: RegExp;
  readonly list: () => Promise<readonly string[]>;
}

/**
 * Completes the prefix of an ID. Returns complete IDs and prefixes without a match unchanged, so that the caller's
 * lookup reports that the ID does not exist.
 * @throws {TradeAgentError} `usage`, naming the matches, if several IDs match or the prefix is too short
 */
export async function resolveIdPrefix(typed: string, { called, whole, list }: IdSource): Promise<string> {
  if (whole.test(typed)) return typed;
  const ids = [...new Set(await list())];
  if (typed === '' || ids.includes(typed)) return typed;
  const begun = ids.filter((id) => id.startsWith(typed));
  const [only] = begun;
  if (only === undefined) return typed;
  if (typed.replace(/^[A-Za-z]{1,2}[_-]/, '').length < MIN_PREFIX_LENGTH) {
    throw new TradeAgentError('usage', `"${safeLine(typed)}" is too short for an id`, {
      hint: `Type at least ${MIN_PREFIX_LENGTH} characters: ${joinIds(begun)}.`,
    });
  }
  if (begun.length === 1) return only;
  throw new TradeAgentError('usage', `"${safeLine(typed)}" matches ${begun.length} ${called}`, {
    hint: `Type more characters: ${joinIds(begun)}.`,
  });
}

function joinIds(ids: readonly string[]): string {
  const more = ids.length > MAX_LISTED ? `, and ${ids.length - MAX_LISTED} more` : '';
  return `${ids
    .slice(0, MAX_LISTED)
    .map((id) => safeLine(id, 64))
    .join(', ')}${more}`;
}
