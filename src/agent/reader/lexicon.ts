import english from './lexicons/english.json' with { type: 'json' };
import german from './lexicons/german.json' with { type: 'json' };
import korean from './lexicons/korean.json' with { type: 'json' };
import spanish from './lexicons/spanish.json' with { type: 'json' };

/** The words of one language: for each meaning, its phrases, separated by `|`. */
interface LexiconData {
  readonly name: string;
  /** Whether `1.000` may mean a thousand. */
  readonly groupsByPoint: boolean;
  /** Phrases by meaning. A phrase can have several meanings; the frame decides which of them it takes. */
  readonly meanings: Readonly<Record<string, string>>;
  /** Units that follow a number: `dollars`, `percent`. */
  readonly units: Readonly<Record<string, { readonly unit: 'dollars' | 'percent' | 'none'; readonly scale?: number }>>;
  /** Words for numbers. English ones are read by number-words.ts. */
  readonly numbers?: Readonly<Record<string, string>>;
  /** Whether words are written without spaces, so that the longest known phrases are split off. */
  readonly hasNoSpaces?: boolean;
  /** Phrases that say what a question is about, by cue. topics.ts says how much they count. */
  readonly cues: Readonly<Record<string, string>>;
}

interface FoundCue {
  readonly cue: string;
  readonly phrase: string;
}

export interface Lexicon {
  readonly groupsByPoint: boolean;
  readonly phrases: ReadonlyMap<string, readonly string[]>;
  /** Returns all phrases of cues in the text, although they may overlap. */
  cuesIn(text: string): readonly FoundCue[];
  has(word: string): boolean;
  /** Whether any phrase contains the word. */
  knows(word: string): boolean;
  tagsOf(phrase: string): readonly string[];
  /** Returns the longest phrase at the start of the words. */
  longest(words: readonly string[]): { readonly tags: readonly string[]; readonly count: number } | undefined;
  unitOf(word: string): { readonly unit: 'dollars' | 'percent' | 'none'; readonly scale?: number } | undefined;
  number(words: readonly string[]): { readonly value: string; readonly count: number } | undefined;
  split(piece: string): string[];
}

const languages = [english, german, spanish, korean] as readonly LexiconData[];
const compiled = new Map<string, Lexicon>();

/** Returns a word as the lexicon has it: in lower case, without apostrophes and accents. */
export function foldWord(word: string): string {
  const lower = word.toLowerCase().replaceAll("'", '');
  return /^[ -~]*$/.test(lower) ? lower : lower.normalize('NFD').replace(/\p{M}/gu, '').normalize('NFC');
}

/** Returns the lexicon of the language that knows most of the text's words; English if none knows more. */
export function lexiconFor(text: string): Lexicon {
  const own = compile(english as LexiconData);
  const words = text
    .slice(0, 1_000)
    .split(/[^\p{L}\p{M}']+/u)
    .filter((word) => word !== '');
  const score = (lexicon: Lexicon) =>
    words.filter((word) => lexicon.split(word).some((part) => lexicon.knows(part))).length;
  let best = { lexicon: own, known: score(own) };
  if (best.known === words.length) return own;
  for (const data of languages.slice(1)) {
    const lexicon = compile(data);
    const known = score(lexicon);
    if (known > best.known) best = { lexicon, known };
  }
  return best.lexicon;
}

function compile(data: LexiconData): Lexicon {
  const known = compiled.get(data.name);
  if (known !== undefined) return known;
  const phrases = new Map<string, string[]>();
  for (const [tag, list] of Object.entries(data.meanings)) {
    for (const phrase of list.split('|').map(foldWord)) phrases.set(phrase, [...(phrases.get(phrase) ?? []), tag]);
  }
  const most = new Map<string, number>();
  for (const phrase of phrases.keys()) {
    const words = phrase.split(' ');
    const first = words[0] ?? '';
    most.set(first, Math.max(most.get(first) ?? 0, words.length));
  }
  const cues = compileCues(data);
  const vocabulary = new Set([...phrases.keys(), ...cues.keys()].flatMap((phrase) => phrase.split(' ')));
  const tagsOf = (phrase: string): readonly string[] => phrases.get(foldWord(phrase)) ?? [];
  const unitOf = (word: string) => {
    const lower = foldWord(word);
    return Object.hasOwn(data.units, lower) ? data.units[lower] : undefined;
  };
  const lexicon: Lexicon = {
    groupsByPoint: data.groupsByPoint,
    phrases,
    cuesIn: (text) => findCues(cues, text, data.hasNoSpaces === true),
    has: (word) => tagsOf(word).length > 0,
    knows: (word) => vocabulary.has(foldWord(word)),
    tagsOf,
    longest(words) {
      const limit = Math.min(most.get(words[0] ?? '') ?? 1, words.length);
      for (let count = limit; count > 0; count -= 1) {
        const tags = phrases.get(words.slice(0, count).join(' ')) ?? [];
        if (tags.length > 0) return { tags, count };
      }
      return undefined;
    },
    unitOf,
    number: (words) => {
      const value = data.numbers?.[words[0] ?? ''];
      return value === undefined ? undefined : { value, count: 1 };
    },
    split: (piece) =>
      data.hasNoSpaces
        ? splitWithoutSpaces(piece, vocabulary, (part) => most.has(foldWord(part)) || unitOf(part) !== undefined)
        : [piece],
  };
  compiled.set(data.name, lexicon);
  return lexicon;
}

/** In a language without spaces, the phrases of cues have none either. */
function compileCues({ cues, hasNoSpaces }: LexiconData): ReadonlyMap<string, readonly string[]> {
  const compiledCues = new Map<string, string[]>();
  for (const [cue, list] of Object.entries(cues)) {
    for (const phrase of list.split('|').map(foldWord)) {
      const key = hasNoSpaces ? phrase.replaceAll(' ', '') : phrase;
      compiledCues.set(key, [...(compiledCues.get(key) ?? []), cue]);
    }
  }
  return compiledCues;
}

/** Maximum length of a cue's phrase in words, or in characters where words have no spaces. */
const MAX_CUE_WORDS = 5;
const MAX_CUE_CHARACTERS = 12;

function findCues(cues: ReadonlyMap<string, readonly string[]>, text: string, hasNoSpaces: boolean): FoundCue[] {
  const words = text
    .split(/[\s,.;:!?¿¡。、？！]+/)
    .filter((word) => word !== '')
    .map(foldWord);
  const units = hasNoSpaces ? [...words.join('')] : words;
  const [joint, most] = hasNoSpaces ? ['', MAX_CUE_CHARACTERS] : [' ', MAX_CUE_WORDS];
  return units.flatMap((_, at) => {
    const found: FoundCue[] = [];
    for (let count = 1; count <= most && at + count <= units.length; count += 1) {
      const phrase = units.slice(at, at + count).join(joint);
      found.push(...(cues.get(phrase) ?? []).map((cue) => ({ cue, phrase })));
    }
    return found;
  });
}

/** Splits text without spaces into numbers, Latin words and the longest known phrases. */
function splitWithoutSpaces(piece: string, words: ReadonlySet<string>, isKnown: (part: string) => boolean): string[] {
  return (piece.match(/[\x21-\x7e]+|[^\x21-\x7e]+/g) ?? []).flatMap((run) => {
    if (/^[\x21-\x7e]/.test(run) || words.has(foldWord(run))) return [run];
    const parts: string[] = [];
    for (let at = 0; at < run.length; ) {
      let size = run.length - at;
      while (size > 0 && !isKnown(run.slice(at, at + size))) size -= 1;
      // An unknown word may begin like a known one, so it stays whole.
      if (size === 0) return [run];
      parts.push(run.slice(at, at + size));
      at += size;
    }
    return parts;
  });
}
