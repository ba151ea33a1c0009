const opening = /`{3}|<(?:tool|function|think|\|)|\[TOOL_CALLS|[{[]\s*["{]/;
/** Matches text that may become the beginning of a tool call with the next chunk. */
const openingPrefix = /(?:`{1,2}|<[a-z|]{0,8}|\[[A-Z_]{0,10}\s*|\{\s*)$/;
const MAX_PREFIX_LENGTH = 24;

/** Streams text but holds back what may be a tool call, so that its JSON does not flash on the screen. */
export class WrittenCallFilter {
  #held = '';
  #isHolding = false;

  push(delta: string): string {
    this.#held += delta;
    if (this.#isHolding) return '';
    const at = this.#held.search(opening);
    this.#isHolding = at >= 0;
    const until =
      at >= 0 ? at : this.#held.length - (openingPrefix.exec(this.#held.slice(-MAX_PREFIX_LENGTH))?.[0].length ?? 0);
    const shown = this.#held.slice(0, until);
    this.#held = this.#held.slice(until);
    return shown;
  }

  /** Returns the text that was held back, once it has turned out not to be a call. */
  rest(): string {
    const rest = this.#held;
    this.#held = '';
    this.#isHolding = false;
    return rest;
  }
}
