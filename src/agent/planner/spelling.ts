import { distance } from 'fastest-levenshtein';
import { commonPhrases } from './fixed-phrases.ts';

/** Maximum edit distance. */
const slack = (word: string) => (word.length <= 4 ? 1 : 2);
const SHORTEST = 2;
/** Shorter words have too many neighbors. */
const SHORTEST_KNOWN = 3;
/** Most unknown words in a sentence. */
const MOST_WRONG = 2;
const MOST_TRIED = 40;

/**
 * Suggests a correction, to be asked about. Corrects only words of the grammar, never numbers or symbols.
 * @returns undefined if there is none, or two are equally near
 */
export function misspelt(text: string, isUnderstood: (sentence: string) => boolean): string | undefined {
  const vocabulary = [...new Set(commonPhrases.join(' ').split(' '))];
  const words = text.split(/\s+/);
  const choices = words.map((word) => {
    const bare = word.toLowerCase().replace(/[.,!?]+$/, '');
    if (!/^[a-z]+$/.test(bare) || bare.length < SHORTEST || vocabulary.includes(bare)) return [];
    if (word.length > 1 && word === word.toUpperCase() && text !== text.toUpperCase()) return [];
    return vocabulary
      .map((known) => ({ known, off: distance(bare, known) }))
      .filter(({ known, off }) => off <= slack(bare) && known.length >= SHORTEST_KNOWN);
  });
  const wrong = choices.flatMap((known, at) => (known.length > 0 ? [at] : []));
  if (wrong.length === 0 || wrong.length > MOST_WRONG) return undefined;
  let tried: { readonly words: readonly string[]; readonly off: number }[] = [{ words, off: 0 }];
  for (const at of wrong) {
    tried = tried.flatMap((each) => [
      each,
      ...(choices[at] ?? []).map(({ known, off }) => ({
        words: each.words.with(at, known),
        off: each.off + off,
      })),
    ]);
  }
  const fitting = tried
    .filter(({ off }) => off > 0)
    .sort((one, two) => one.off - two.off)
    .slice(0, MOST_TRIED)
    .map((each) => ({ sentence: each.words.join(' '), off: each.off }))
    .filter(({ sentence }) => isUnderstood(sentence));
  const [best, second] = fitting;
  return best === undefined || second?.off === best.off ? undefined : best.sentence;
}
