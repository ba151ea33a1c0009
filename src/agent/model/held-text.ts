const opening = /`{3}|<(?:tool|function|think|\|)|\[TOOL_CALLS|[{[]\s*["{]/;
/** Matches the end of a text if a tool call may begin there. */
const openingPrefix = /(?:`{1,2}|<[a-z|]{0,8}|\[[A-Z_]{0,10}\s*|\{\s*)$/;
const MAX_PREFIX_LENGTH = 24;

/** Streams text, but delays text that may be a tool call, so that JSON does not flash on the screen. */
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

  /** Returns the text that is still delayed at the end of the stream. This text is not a call. */
  rest(): string {
    const rest = this.#held;
    this.#held = '';
    this.#isHolding = false;
    return rest;
  }
}

const reasoningStart = /^\s*<(think|thinking|reasoning)>/i;
/** Matches text that may be the start of a reasoning block. */
const reasoningStartPrefix = /^\s*(?:<[a-z]{0,9})?$/i;
const reasoningBlock = /<(think|thinking|reasoning)>[\s\S]*?<\/\1>/gi;

/**
 * Separates a model's reasoning from its answer. An unclosed block is all reasoning. Text before a closing tag without
 * an opening tag is also reasoning, because some chat templates write the opening tag themselves.
 */
export function splitReasoning(text: string): { readonly answer: string; readonly reasoning: string } {
  const blocks: string[] = [];
  const keep = (block: string) => {
    blocks.push(block.replace(/<\/?[a-z]+>/gi, '').trim());
    return '';
  };
  const answer = text
    .replace(reasoningBlock, keep)
    .replace(/^\s*<(think|thinking|reasoning)>[\s\S]*$/i, keep)
    .replace(/^[\s\S]*<\/(?:think|thinking|reasoning)>/i, keep);
  return { answer: blocks.length === 0 ? answer : answer.trim(), reasoning: blocks.join('\n').trim() };
}

/** Streams text without the reasoning at the beginning. */
export class ReasoningFilter {
  #held = '';
  #hasReasoned = false;
  #hasAnswerBegun = false;

  push(delta: string): string {
    if (this.#hasAnswerBegun) return delta;
    this.#held += delta;
    const tag = reasoningStart.exec(this.#held)?.[1];
    if (tag === undefined) {
      if (reasoningStartPrefix.test(this.#held)) return '';
      this.#hasAnswerBegun = true;
      return this.#hasReasoned ? this.#held.trimStart() : this.#held;
    }
    this.#hasReasoned = true;
    const end = this.#held.toLowerCase().indexOf(`</${tag.toLowerCase()}>`);
    if (end < 0) return '';
    this.#held = this.#held.slice(end + tag.length + 3);
    return this.push('');
  }

  /** Returns the text that is still delayed at the end of the stream, unless it is reasoning. */
  rest(): string {
    if (this.#hasAnswerBegun || reasoningStart.test(this.#held)) return '';
    return this.#hasReasoned ? this.#held.trimStart() : this.#held;
  }
}
