/** Translates a sentence into one language. A template literal tag, whose English text is the key for translations. */
export interface Say {
  (parts: readonly string[], ...values: readonly PhraseValue[]): string;
  /** Language tag (BCP 47) for formatting dates. Undefined for English. */
  readonly locale?: string;
}

/** A value in a sentence. Undefined values are omitted. */
export type PhraseValue = string | number | Phrase | undefined;

export const english: Say = (parts, ...values) =>
  parts.map((part, at) => (at === 0 ? part : `${values[at - 1] ?? ''}${part}`)).join('');

/** Returns the key of a sentence: `You hold no {0}.` */
export const phraseKey = (parts: readonly string[]): string =>
  parts.map((part, at) => (at === 0 ? part : `{${at - 1}}${part}`)).join('');

/** A sentence in English, with its values, that can be translated later. */
export class Phrase {
  readonly #parts: readonly string[];
  readonly #values: readonly PhraseValue[];
  readonly #example: string | undefined;

  constructor(parts: readonly string[], values: readonly PhraseValue[], example?: string) {
    this.#parts = parts;
    this.#values = values;
    this.#example = example;
  }

  in(say: Say): string {
    const text = say(this.#parts, ...this.#values);
    return this.#example === undefined ? text : text.replaceAll('AAPL', this.#example);
  }

  /** Returns the sentence with the given symbol instead of AAPL, the symbol in examples. */
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

export const phrase = (parts: TemplateStringsArray, ...values: readonly PhraseValue[]): Phrase =>
  new Phrase(parts, values);
