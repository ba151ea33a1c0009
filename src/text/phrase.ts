/**
 * Puts a sentence into one language. A tag of template literals, whose text is the English sentence: the key by which other
 * languages translate it.
 */
export interface Say {
  (parts: readonly string[], ...values: readonly Value[]): string;
  /** The language's tag (BCP 47) for dates. Undefined for English, whose dates are formatted without it. */
  readonly locale?: string;
}

/** An undefined value is left out. */
export type Value = string | number | Phrase | undefined;

export const english: Say = (parts, ...values) =>
  parts.map((part, at) => (at === 0 ? part : `${values[at - 1] ?? ''}${part}`)).join('');

/** Returns the key of a sentence: `You hold no {0}.` */
export const phraseKey = (parts: readonly string[]): string =>
  parts.map((part, at) => (at === 0 ? part : `{${at - 1}}${part}`)).join('');

/** A sentence in English, with its values, that can be put into another language later. */
export class Phrase {
  readonly #parts: readonly string[];
  readonly #values: readonly Value[];
  readonly #example: string | undefined;

  constructor(parts: readonly string[], values: readonly Value[], example?: string) {
    this.#parts = parts;
    this.#values = values;
    this.#example = example;
  }

  in(say: Say): string {
    const text = say(this.#parts, ...this.#values);
    return this.#example === undefined ? text : text.replaceAll('AAPL', this.#example);
  }

  /** Returns the sentence about a symbol in place of AAPL, the examples' symbol. */
  about(symbol: string): Phrase {
    return new Phrase(this.#parts, this.#values, symbol);
  }

  toString(): string {
    return this.in(english);
  }

  toJSON(): string {
    return this.toString();
  }
}

export const phrase = (parts: TemplateStringsArray, ...values: readonly Value[]): Phrase => new Phrase(parts, values);
