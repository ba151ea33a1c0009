/** A number as the person wrote it. `isBad` marks text such as `5,00` or `1e9` that is ambiguous. */
export interface Quantity {
  readonly value: string;
  readonly unit: 'none' | 'dollars' | 'percent';
  /** Whether the number was written with `k` or `m`, as in `5k`. */
  readonly isScaled: boolean;
  readonly isBad: boolean;
}

/** The smallest unit that fills a slot: a word or phrase in the lexicon, number, symbol, name, or punctuation mark. */
export interface Item {
  readonly text: string;
  readonly lower: string;
  /** Meanings from the lexicon. An item without meanings is a name, a number, or a punctuation mark. */
  readonly tags: readonly string[];
  readonly quantity?: Quantity;
  /** The ticker symbol that the word may stand for. */
  readonly ticker?: string;
  /** A company, fund or coin that is not written as a ticker. */
  readonly name?: string;
  /** Whether the name is in the gazetteer. Any other name is a run of unknown words. */
  readonly isKnownName?: true;
  /** Whether the item is inside quotation marks or parentheses. */
  readonly aside: boolean;
}
