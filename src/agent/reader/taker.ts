import { type Phrase, phrase } from '../../text/phrase.ts';
import type { Item } from './item.ts';
import { isAsset, matchAt } from './match.ts';
import { badNumber } from './order-frame.ts';
import { NotUnderstoodError, truncateWord } from './refusal.ts';
import { withoutParticles } from './slots.ts';

/** Takes items in order. Skips items that add nothing between slots. */
export class Taker {
  #at = 0;
  readonly items: readonly Item[];

  constructor(items: readonly Item[]) {
    const kept = withoutParticles(items);
    // "cancel my AAPL order, please" ends with the order.
    const last = kept.findLastIndex(
      (item) => isAsset(item) || !item.tags.some((tag) => tag === 'harmless' || tag === 'comma'),
    );
    this.items = kept.slice(0, last + 1);
  }

  /** Takes the items that a template matches. */
  take(template: string) {
    this.#skip();
    const found = matchAt(template, this.items, this.#at);
    if (found === undefined || found.end === this.#at) return undefined;
    this.#at = found.end;
    return found;
  }

  is(template: string): boolean {
    this.#skip();
    return matchAt(template, this.items, this.#at) !== undefined;
  }

  /** Takes symbols that are joined by commas and "and". */
  symbols(): string[] {
    const found: string[] = [];
    for (;;) {
      const next = this.take(
        found.length === 0 ? 'share? of? my? my? @ share|position?' : 'comma|and? and? my? my? @ share|position?',
      );
      const isJoined = found.length === 0 || (next?.items.length ?? 0) > 0;
      if (next === undefined || !isJoined) return found;
      found.push(...next.symbols);
    }
  }

  /** Takes the ID after "order". The ID may be complete, or shortened as in lists. */
  takeId(): string | undefined {
    this.#skip();
    const found = matchAt('order my? *', this.items, this.#at);
    const id = found?.items.at(-1)?.text ?? '';
    if (found === undefined || !/^(?=.*\d)[A-Za-z0-9][A-Za-z0-9_-]{7,63}$/.test(id)) return undefined;
    this.#at = found.end;
    return id;
  }

  get rest(): Item | undefined {
    this.#skip();
    return this.items[this.#at];
  }

  #skip(): void {
    while (
      this.items[this.#at]?.tags.some((tag) => ['harmless', 'end', 'question'].includes(tag)) &&
      !isAsset(this.items[this.#at] as Item)
    )
      this.#at += 1;
  }
}

export function requireEnd(taker: Taker, what: Phrase, hint: Phrase): void {
  const { rest } = taker;
  if (rest === undefined) return;
  if (rest.quantity?.isBad) throw badNumber(rest.text);
  throw new NotUnderstoodError(phrase`I don't understand "${truncateWord(rest.text)}" in this ${what}.`, hint);
}

/** Moves an act to the beginning if it is at the end, as in German, Japanese and Korean. */
export function actFirst(items: readonly Item[], act: string): readonly Item[] {
  const at = items.findLastIndex(({ tags }) => !tags.includes('harmless') && !tags.includes('question'));
  const item = items[at];
  const isLast = at > 0 && item?.tags.includes(act) === true && isAsset(item) === false;
  return isLast && item !== undefined ? [item, ...items.slice(0, at), ...items.slice(at + 1)] : items;
}

/** Moves the word for "to" before its number, which it follows in Japanese and Korean. */
function withToFirst(items: readonly Item[]): readonly Item[] {
  const isTo = ({ tags, lower }: Item) =>
    tags.some((tag) => tag === 'onto' || tag === 'post') && !/^[ -~]*$/.test(lower);
  const at = items.findIndex((item, index) => isTo(item) && items[index - 1]?.quantity !== undefined);
  const [number, to] = items.slice(Math.max(0, at - 1), at + 1);
  if (number === undefined || to === undefined || !items[0]?.tags.includes('change')) return items;
  return [...items.slice(0, at - 1), { ...to, tags: ['to'] }, number, ...items.slice(at + 1)];
}

/** Moves a verb that also means "to" to the beginning, as in Chinese: "my AAPL order's limit change-to 185". */
export function withChangeFirst(items: readonly Item[]): readonly Item[] {
  const at = items.findIndex((item) => item.tags.includes('change_to') && !isAsset(item));
  const verb = items[at];
  if (verb === undefined || at === 0) return withToFirst(items);
  return [{ ...verb, tags: ['change'] }, ...items.slice(0, at), { ...verb, tags: ['to'] }, ...items.slice(at + 1)];
}

/** Rejects a number that follows another number, as in "5 5 AAPL". @throws {NotUnderstoodError} */
export function requireSingleNumbers(items: readonly Item[]): void {
  const at = items.findIndex(({ quantity }, index) => {
    const next = items[index + 1];
    const isPair = quantity !== undefined && next?.quantity !== undefined && !next.tags.includes('year_number');
    return isPair && !items[index - 1]?.tags.includes('stop_with_limit');
  });
  const [item, next] = items.slice(at, at + 2);
  if (at < 0 || item === undefined || next === undefined || item.quantity?.isBad || next.quantity?.isBad) return;
  throw new NotUnderstoodError(
    phrase`Which number do you mean by "${truncateWord(`${item.text} ${next.text}`)}"?`,
    phrase`Repeat the request with only one of them.`,
  );
}
