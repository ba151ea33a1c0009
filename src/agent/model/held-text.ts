/** The beginning of a tool call written as text. */
const opening = /`{3}|<(?:tool|function|think|\|)|\[TOOL_CALLS|[{[]\s*["{]/;
/** What may become one with the next chunk. */
const begun = /(?:`{1,2}|<[a-z|]{0,8}|\[[A-Z_]{0,10}\s*|\{\s*)$/;
/** Upper bound of `begun`'s length. */
const LONGEST_BEGUN = 24;

/**
 * Streams an answer to the person, but holds back everything from a possible written tool call on, whose JSON would
 * otherwise flash on the screen.
 */
export class HeldText {
  #held = '';
  #isHolding = false;

  /** @returns what may be shown now */
  push(delta: string): string {
    this.#held += delta;
    if (this.#isHolding) return '';
    const at = this.#held.search(opening);
    this.#isHolding = at >= 0;
    const until =
      at >= 0 ? at : this.#held.length - (begun.exec(this.#held.slice(-LONGEST_BEGUN))?.[0].length ?? 0);
    const shown = this.#held.slice(0, until);
    this.#held = this.#held.slice(until);
    return shown;
  }

  /** The held text, once the answer turns out to be words. */
  rest(): string {
    const rest = this.#held;
    this.#held = '';
    this.#isHolding = false;
    return rest;
  }
}
