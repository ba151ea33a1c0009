import { distance } from 'fastest-levenshtein';
import { lexiconFor } from './lexicon.ts';

/** The words to which misspellings are corrected. */
const VOCABULARY =
  'help portfolio positions holdings cash balance account buying power biggest position market open orders closed order history cancel last change quote price chart buy sell half all shares purchase close limit stop trailing dollars worth extended hours everything make today what show'.split(
    ' ',
  );
/** Maximum edit distance between a word and its correction. */
const maxDistance = (word: string) => (word.length <= 4 ? 1 : 2);
const MIN_CORRECTION_LENGTH = 3;
const MAX_WRONG_WORDS = 2;
const MAX_CANDIDATES = 12;

/**
 * Suggests a spelling correction, which the planner asks about. Never changes numbers and symbols.
 * @returns undefined if there is no correction, or if two corrections are equally close
 */
export function suggestCorrection(text: string, isUnderstood: (sentence: string) => boolean): string | undefined {
  const words = text.split(/\s+/);
  const lexicon = lexiconFor(text);
  const choices = words.map((word, at) => {
    const bare = word.toLowerCase().replace(/[.,!?]+$/, '');
    // A word with a meaning is not misspelled, except "by" as the act at the beginning.
    if (lexicon.has(bare) && !(at === 0 && bare === 'by')) return [];
    if (!/^[a-z]{2,}$/.test(bare) || VOCABULARY.includes(bare)) return [];
    if (word.length > 1 && word === word.toUpperCase() && text !== text.toUpperCase()) return [];
    return VOCABULARY.map((known) => ({ known, off: distance(bare, known) })).filter(
      ({ known, off }) => off <= maxDistance(bare) && known.length >= MIN_CORRECTION_LENGTH,
    );
  });
  const wrong = choices.flatMap((known, at) => (known.length > 0 ? [at] : []));
  if (wrong.length === 0 || wrong.length > MAX_WRONG_WORDS + 1) return undefined;
  let tried: { readonly words: readonly string[]; readonly off: number; readonly count: number }[] = [
    { words, off: 0, count: 0 },
  ];
  for (const at of wrong) {
    tried = tried.flatMap((each) => [
      each,
      ...(choices[at] ?? []).map(({ known, off }) => ({
        words: each.words.with(at, known),
        off: each.off + off,
        count: each.count + 1,
      })),
    ]);
  }
  const fitting = tried
    .filter(({ off, count }) => off > 0 && count <= MAX_WRONG_WORDS)
    .sort((one, two) => one.off - two.off)
    .slice(0, MAX_CANDIDATES)
    .map((each) => ({ sentence: each.words.join(' '), off: each.off }))
    .filter(({ sentence }) => isUnderstood(sentence));
  const [best, second] = fitting;
  return best === undefined || second?.off === best.off ? undefined : best.sentence;
}
