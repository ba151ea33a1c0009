import { english } from './lexicons/english.ts';

/** The words of one language: for each meaning, its phrases, separated by `|`. */
export interface LexiconData {
  readonly name: string;
  /** Whether `1.000` may mean a thousand. */
  readonly groupsByPoint: boolean;
  /** Phrases by meaning. A phrase can have several meanings; the frame decides which of them it takes. */
  readonly meanings: Readonly<Record<string, string>>;
  /** Units that follow a number: `dollars`, `percent`. */
  readonly units: Readonly<Record<string, { readonly unit: 'dollars' | 'percent' | 'none'; readonly scale?: number }>>;
  /** Whether words are written without spaces, so that the longest known phrases are split off. */
  readonly isUnspaced?: true;
}

export interface Lexicon {
  readonly groupsByPoint: boolean;
  readonly phrases: ReadonlyMap<string, readonly string[]>;
  has(word: string): boolean;
  tagsOf(phrase: string): readonly string[];
  /** Returns the longest phrase at the start of the words. */
  longest(words: readonly string[]): { readonly tags: readonly string[]; readonly count: number } | undefined;
  unitOf(word: string): { readonly unit: 'dollars' | 'percent' | 'none'; readonly scale?: number } | undefined;
  number(words: readonly string[]): { readonly value: string; readonly count: number } | undefined;
  split(piece: string): string[];
}

const languages: readonly LexiconData[] = [english];
const compiled = new Map<string, Lexicon>();

/** Returns the lexicon of the language that knows most of the text's words. */
export function lexiconFor(_text: string): Lexicon {
  return compile(languages[0] as LexiconData);
}

function compile(data: LexiconData): Lexicon {
  const known = compiled.get(data.name);
  if (known !== undefined) return known;
  const phrases = new Map<string, string[]>();
  for (const [tag, list] of Object.entries(data.meanings)) {
    for (const phrase of list.replaceAll("'", '').split('|')) phrases.set(phrase, [...(phrases.get(phrase) ?? []), tag]);
  }
  const most = new Map<string, number>();
  for (const phrase of phrases.keys()) {
    const words = phrase.split(' ');
    const first = words[0] ?? '';
    most.set(first, Math.max(most.get(first) ?? 0, words.length));
  }
  const tagsOf = (phrase: string): readonly string[] => {
    const own = phrases.get(phrase.replaceAll("'", ''));
    // "order's" means what "order" does.
    return own ?? (/'s$/.test(phrase) ? (phrases.get(phrase.slice(0, -2)) ?? []) : []);
  };
  const lexicon: Lexicon = {
    groupsByPoint: data.groupsByPoint,
    phrases,
    has: (word) => tagsOf(word.toLowerCase()).length > 0,
    tagsOf,
    longest(words) {
      const limit = Math.min(most.get(words[0] ?? '') ?? 1, words.length);
      for (let count = limit; count > 0; count -= 1) {
        const tags = tagsOf(words.slice(0, count).join(' '));
        if (tags.length > 0) return { tags, count };
      }
      return undefined;
    },
    unitOf: (word) => (Object.hasOwn(data.units, word.toLowerCase()) ? data.units[word.toLowerCase()] : undefined),
    number: () => undefined,
    split: (piece) => [piece],
  };
  compiled.set(data.name, lexicon);
  return lexicon;
}
