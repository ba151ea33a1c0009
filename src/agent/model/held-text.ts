/** What a tool call that is written as text begins with. */
const opening = /`{3}|<(?:tool|function|think|\|)|\[TOOL_CALLS|[{[]\s*["{]/;
/** What may become one with the next piece. */
const begun = /(?:`{1,2}|<[a-z|]{0,8}|\[[A-Z_]{0,10}\s*|\{\s*)$/;
/** The longest a `begun` can be; no more of the text's end is looked at. */
const LONGEST_BEGUN = 24;

/**
 * Lets an answer through to the person as it streams, but nothing from where a tool call may begin that is written as
 * text: half of its JSON would flash on the screen as an answer.
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
    // A message that begins so may be a call whole.
    const until =
      at >= 0 ? at : this.#held.length - (begun.exec(this.#held.slice(-LONGEST_BEGUN))?.[0].length ?? 0);
    const shown = this.#held.slice(0, until);
    this.#held = this.#held.slice(until);
    return shown;
  }

  /** What is left where the answer proved to be words. */
  rest(): string {
    const rest = this.#held;
    this.#held = '';
    this.#isHolding = false;
    return rest;
  }
}
