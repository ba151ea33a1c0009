import { lexiconFor } from './lexicon.ts';

/** Scripts of one language each. A text in none of them is read by its words alone. */
const scripts = [
  [/\p{Script=Hangul}/u, 'korean'],
  [/[\p{Script=Hiragana}\p{Script=Katakana}]/u, 'japanese'],
  [/\p{Script=Han}/u, 'chinese'],
] as const;

/** Returns whether a text has a word that belongs to a language; tickers and numbers belong to none. */
const hasWords = (text: string) => /\p{L}/u.test(text.replace(/\b[A-Z]{1,5}(?:[./-][A-Z]+)?\b|\b\d+[a-z]?\b/g, ''));

/**
 * Returns the name of the lexicon whose language the person writes: that of the newest turn, or of the last one before it
 * if the newest is only a ticker or a number.
 * @param turns newest last
 */
export function languageOf(turns: readonly string[]): string {
  const text = turns.findLast(hasWords) ?? '';
  const { name } = lexiconFor(text);
  return name === 'english' ? (scripts.find(([script]) => script.test(text))?.[1] ?? name) : name;
}
