import { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';

/** The `cursor` argument of a tool that returns pages. */
export const pageArgument = z.lazy(() => z.string().max(512).optional().describe('next_cursor of the previous page'));

interface PageRequest {
  readonly limit: number;
  /** The key of the last item of the previous page. */
  readonly cursor?: string | undefined;
}

interface Page<Item> {
  readonly page: readonly Item[];
  /** Number of items on all pages. */
  readonly total: number;
  /** Null on the last page. */
  readonly next_cursor: string | null;
}

/**
 * Returns the page after a cursor. New items at the beginning of the list do not shift later pages.
 * @param keyOf returns an item's unique key
 * @throws {TradeAgentError} `usage` if no item has the cursor as its key
 */
export function pageAfter<Item>(
  items: readonly Item[],
  keyOf: (item: Item, index: number) => string,
  { limit, cursor }: PageRequest,
): Page<Item> {
  // Finds the last item with the key, so that a repeated key can't lead back to an earlier page.
  const place = cursor === undefined ? -1 : items.findLastIndex((item, index) => keyOf(item, index) === cursor);
  if (cursor !== undefined && place === -1) {
    throw new TradeAgentError('usage', 'the cursor is not in this list, or no longer', {
      hint: 'Repeat the call with the same filters, or omit the cursor to start with the first page.',
      details: { field: 'cursor' },
    });
  }
  const rest = items.slice(place + 1);
  const page = rest.slice(0, limit);
  const [last, isMore] = [page.at(-1), rest.length > page.length];
  const next_cursor = last === undefined || !isMore ? null : keyOf(last, place + page.length);
  return { page, total: items.length, next_cursor };
}
