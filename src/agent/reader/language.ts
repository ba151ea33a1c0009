import { likeliestLanguages } from './lexicon.ts';

/** Scripts that are used by only one language. In any other script, only the words identify the language. */
const scripts = [
  [/\p{Script=Hangul}/u, 'korean'],
  [/[\p{Script=Hiragana}\p{Script=Katakana}]/u, 'japanese'],
  [/\p{Script=Han}/u, 'chinese'],
] as const;

/** Returns whether a text contains a word of some language. Tickers and numbers belong to no language. */
const hasWords = (text: string) => /\p{L}/u.test(text.replace(/\b[A-Z]{1,5}(?:[./-][A-Z]+)?\b|\b\d+[a-z]?\b/g, ''));

/**
 * Returns the name of the lexicon for the person's language. If the last turn has only tickers and numbers, the
 * newest turn that has words decides. If these words fit several languages equally ("compre 5 AAPL" is Spanish or
 * Portuguese), earlier turns narrow down the choice, newest first.
 * @param turns newest last
 */
export function languageOf(turns: readonly string[]): string {
  const [text = '', ...earlier] = turns.filter(hasWords).toReversed();
  let names = likeliestLanguages(text);
  for (const turn of earlier) {
    if (names.length === 1) break;
    const shared = likeliestLanguages(turn).filter((name) => names.includes(name));
    if (shared.length > 0) names = shared;
  }
  const [name = ''] = names;
  return name === 'english' ? (scripts.find(([script]) => script.test(text))?.[1] ?? name) : name;
}
