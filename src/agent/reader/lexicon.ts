import chinese from './lexicons/chinese.json' with { type: 'json' };
import english from './lexicons/english.json' with { type: 'json' };
import french from './lexicons/french.json' with { type: 'json' };
import german from './lexicons/german.json' with { type: 'json' };
import japanese from './lexicons/japanese.json' with { type: 'json' };
import korean from './lexicons/korean.json' with { type: 'json' };
import portuguese from './lexicons/portuguese.json' with { type: 'json' };
import spanish from './lexicons/spanish.json' with { type: 'json' };
import { parseNumerals } from './number-words.ts';

/** The words of one language: for each meaning, its phrases, separated by `|`. */
interface LexiconData {
  readonly name: string;
  /** Whether `1.000` may mean a thousand. */
  readonly groupsByPoint: boolean;
  /**
   * Phrases by meaning, or by several meanings with spaces between them. If a phrase has several meanings, the frame
   * decides which of them applies.
   */
  readonly meanings: Readonly<Record<string, string>>;
  /** Units that follow a number: `dollars`, `percent`. */
  readonly units: Readonly<Record<string, { readonly unit: 'dollars' | 'percent' | 'none'; readonly scale?: number }>>;
  /** Number words. English number words are read by number-words.ts. */
  readonly numbers?: Readonly<Record<string, string>>;
  /** Characters that form numbers, with their values: `{ "五": 5, "百": 100 }`. */
  readonly numerals?: Readonly<Record<string, number>>;
  /** Companies and funds whose names differ in this language, with their English names. */
  readonly names?: Readonly<Record<string, string>>;
  /** Words that lose their last letter before a vowel, separated by `|`: `d'Apple`. */
  readonly elisions?: string;
  /** Whether words are written without spaces. If so, text is split into the longest known phrases. */
  readonly hasNoSpaces?: boolean;
  /** Phrases that indicate the subject of a question, by cue. The cues' weights are in topics.ts. */
  readonly cues: Readonly<Record<string, string>>;
}

interface FoundCue {
  readonly cue: string;
  readonly phrase: string;
}

export interface Lexicon {
  readonly name: string;
  readonly groupsByPoint: boolean;
  readonly phrases: ReadonlyMap<string, readonly string[]>;
  /** Returns all cue phrases in the text, including overlapping ones. */
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
  /** Returns the English name of a company whose name differs in this language. */
  nameOf(word: string): string | undefined;
  /** Writes `d'Apple` as two words. */
  separate(text: string): string;
}

/** Maximum length of a phrase, in words. */
export const MAX_PHRASE_WORDS = 14;

/** The languages of each script. If several know equally many words, the first one wins. */
const languages = [
  [/\p{Script=Latin}/u, [german, spanish, french, portuguese]],
  [/\p{Script=Hangul}/u, [korean]],
  [/[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u, [japanese]],
  [/\p{Script=Han}/u, [chinese]],
] as readonly (readonly [script: RegExp, languages: readonly LexiconData[]])[];
const compiled = new Map<string, Lexicon>();
const vocabularies = new Map<string, ReadonlySet<string>>();

/** Returns a word as the lexicon has it: in lower case, without apostrophes and accents. */
export function foldWord(word: string): string {
  const lower = withoutApostrophes(word);
  // Removes only accents, because in Japanese a mark makes a different letter.
  return /^[ -~]*$/.test(lower)
    ? lower
    : lower
        .normalize('NFD')
        .replace(/[\u0300-\u036f]/g, '')
        .normalize('NFC');
}

/** Returns the lexicon of the language that knows the most words of the text. Defaults to English. */
export function lexiconFor(text: string): Lexicon {
  return compile(likeliest(text)[0] ?? (english as LexiconData));
}

/** Returns the name of the language that knows the most words of the text, or several names if there is a tie. */
export const likeliestLanguages = (text: string): readonly string[] => likeliest(text).map(({ name }) => name);

function likeliest(text: string): readonly LexiconData[] {
  const own = compile(english as LexiconData);
  const hasCapitals = /[\p{Ll}\p{Lo}]/u.test(text);
  const words = text
    .slice(0, 1_000)
    .split(/[^\p{L}\p{M}']+/u)
    // Tickers belong to no language.
    .filter((word) => word !== '' && !(hasCapitals && /^[A-Z]{2,}$/.test(word)));
  let known = words.filter((word) => own.knows(word)).length;
  let best: readonly LexiconData[] = [english as LexiconData];
  if (known === words.length) return best;
  for (const data of languages.flatMap(([script, its]) => (script.test(text) ? its : []))) {
    const count = words.reduce((sum, word) => sum + knownPart(data, word), 0);
    if (count > known) best = [data];
    else if (count === known && !best.includes(english as LexiconData)) best = [...best, data];
    known = Math.max(known, count);
  }
  return best;
}

/** An exact binary fraction, so that rounding can't break a tie between two languages. */
const ACCENTS_DIFFER = 1023 / 1024;

/**
 * Returns 1 for a word of the language, or slightly less if the accents differ, to decide between languages that share
 * the word. Returns 0.5 for text without spaces that only partly belongs to the language.
 */
function knownPart(data: LexiconData, word: string): number {
  if (!data.hasNoSpaces) {
    const [, elided] = /^\p{L}+'(.+)$/u.exec(word) ?? [];
    const whole = elided !== undefined && data.elisions !== undefined ? elided : word;
    if (vocabularyOf(data).has(withoutApostrophes(whole))) return 1;
    return vocabularyOf(data).has(foldWord(whole)) ? ACCENTS_DIFFER : 0;
  }
  const lexicon = compile(data);
  const parts = lexicon.split(word).filter((part) => !/^[A-Z]+$/i.test(part));
  const known = parts.filter((part) => lexicon.knows(part) || lexicon.number([part]) !== undefined);
  return known.length === 0 ? 0 : known.length === parts.length ? 1 : 0.5;
}

/** Returns the words of all phrases, with and without accents. */
function vocabularyOf(data: LexiconData): ReadonlySet<string> {
  let words = vocabularies.get(data.name);
  if (words === undefined) {
    const phrases = [...Object.values(data.meanings), ...Object.values(data.cues), ...Object.keys(data.units)];
    const text = withoutApostrophes([...phrases, ...Object.keys(data.names ?? {})].join('|'));
    const folded = foldWord(text);
    words = new Set((folded === text ? text : `${text}|${folded}`).split(/[ |]/));
    vocabularies.set(data.name, words);
  }
  return words;
}

const withoutApostrophes = (word: string) => word.toLowerCase().replaceAll("'", '');

function compile(data: LexiconData): Lexicon {
  const known = compiled.get(data.name);
  if (known !== undefined) return known;
  const phrases = new Map<string, string[]>();
  for (const [tags, list] of Object.entries(data.meanings)) {
    const meanings = tags.split(' ');
    for (const phrase of foldWord(list).split('|')) {
      const other = phrases.get(phrase);
      phrases.set(phrase, other === undefined ? meanings : [...other, ...meanings]);
    }
  }
  const cues = compileCues(data);
  const { numerals = {}, names = {}, elisions } = data;
  const elided = elisions === undefined ? undefined : new RegExp(`(?<!\\p{L})(${elisions})'(?=\\p{L})`, 'giu');
  const isPart = (part: string) =>
    phrases.has(part) ||
    unitOf(part) !== undefined ||
    (part.length > 1 && cues.has(part)) ||
    [names, data.numbers ?? {}].some((words) => Object.hasOwn(words, part));
  const tagsOf = (phrase: string): readonly string[] => phrases.get(foldWord(phrase)) ?? [];
  const unitOf = (word: string) => {
    const lower = foldWord(word);
    return Object.hasOwn(data.units, lower) ? data.units[lower] : undefined;
  };
  const lexicon: Lexicon = {
    name: data.name,
    groupsByPoint: data.groupsByPoint,
    phrases,
    cuesIn: (text) => findCues(cues, text, data.hasNoSpaces === true),
    has: (word) => tagsOf(word).length > 0,
    // The vocabulary takes milliseconds to build, and most short requests consist of phrases and cues.
    knows: (word) => {
      const folded = foldWord(word);
      return phrases.has(folded) || cues.has(folded) || vocabularyOf(data).has(folded);
    },
    tagsOf,
    longest(words) {
      for (let count = words.length; count > 0; count -= 1) {
        const tags = phrases.get(words.slice(0, count).join(' ')) ?? [];
        if (tags.length > 0) return { tags, count };
      }
      return undefined;
    },
    unitOf,
    number: (words) => {
      const [word = ''] = words;
      const value = data.numbers?.[word] ?? parseNumerals(word, numerals);
      return value === undefined ? undefined : { value, count: 1 };
    },
    split: (piece) => (data.hasNoSpaces ? splitWithoutSpaces(piece, vocabularyOf(data), numerals, isPart) : [piece]),
    nameOf: (word) => (Object.hasOwn(names, word) ? names[word] : undefined),
    separate: (text) => (elided === undefined ? text : text.replace(elided, '$1 ')),
  };
  compiled.set(data.name, lexicon);
  return lexicon;
}

/** Returns the cues of each phrase. For a language without spaces, removes the spaces from the phrases. */
function compileCues({ cues, hasNoSpaces }: LexiconData): ReadonlyMap<string, readonly string[]> {
  const compiledCues = new Map<string, string[]>();
  for (const [cue, list] of Object.entries(cues)) {
    for (const phrase of foldWord(list).split('|')) {
      const key = hasNoSpaces ? phrase.replaceAll(' ', '') : phrase;
      compiledCues.set(key, [...(compiledCues.get(key) ?? []), cue]);
    }
  }
  return compiledCues;
}

/** Maximum length of a cue phrase, in words or, in a language without spaces, in characters. */
const MAX_CUE_WORDS = 7;
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

const MAX_PART_LENGTH = 16;

/** Splits text without spaces into Latin words, numbers and the longest phrases. Other text remains in one piece. */
function splitWithoutSpaces(
  piece: string,
  words: ReadonlySet<string>,
  numerals: Readonly<Record<string, number>>,
  isPhrase: (part: string) => boolean,
): string[] {
  const isPart = (part: string) => isPhrase(foldWord(part)) || [...part].every((one) => Object.hasOwn(numerals, one));
  return (piece.match(/[\x21-\x7e]+|[^\x21-\x7e]+/g) ?? []).flatMap((run) =>
    /^[\x21-\x7e]/.test(run) || words.has(foldWord(run)) ? [run] : (wholeParts(run, isPart) ?? knownParts(run, isPart)),
  );
}

/** Returns the longest parts that together cover the whole text. */
function wholeParts(run: string, isPart: (part: string) => boolean): string[] | undefined {
  const hopeless = new Set<number>();
  const partsFrom = (at: number): string[] | undefined => {
    for (let size = Math.min(run.length - at, MAX_PART_LENGTH); size > 0 && !hopeless.has(at); size -= 1) {
      const part = run.slice(at, at + size);
      const rest = isPart(part) ? partsFrom(at + size) : undefined;
      if (rest !== undefined) return [part, ...rest];
    }
    if (at < run.length) hopeless.add(at);
    return at < run.length ? undefined : [];
  };
  return partsFrom(0);
}

/** Returns the longest parts and the characters between them, so that a question can quote the unknown characters. */
function knownParts(run: string, isPart: (part: string) => boolean): string[] {
  const parts: string[] = [];
  let unknown = '';
  for (let at = 0; at < run.length; ) {
    let size = Math.min(run.length - at, MAX_PART_LENGTH);
    while (size > 0 && !isPart(run.slice(at, at + size))) size -= 1;
    if (size === 0) unknown += run[at] ?? '';
    else {
      parts.push(...(unknown === '' ? [] : [unknown]), run.slice(at, at + size));
      unknown = '';
    }
    at += Math.max(1, size);
  }
  return unknown === '' ? parts : [...parts, unknown];
}
