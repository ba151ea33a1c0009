import { english, Phrase, type PhraseValue, phraseKey, type Say } from '../../text/phrase.ts';

/** Translations into one language, by English sentence. `{0}` stands for the first value in the sentence. */
type Catalog = Readonly<Record<string, string>>;

/** Each language's tag (BCP 47) and catalog. A catalog is loaded only when its language is used. */
export const catalogs: Readonly<Record<string, readonly [locale: string, load: () => Promise<{ default: Catalog }>]>> =
  {
    german: ['de-DE', () => import('./catalogs/german.json', { with: { type: 'json' } })],
    korean: ['ko-KR', () => import('./catalogs/korean.json', { with: { type: 'json' } })],
    japanese: ['ja-JP', () => import('./catalogs/japanese.json', { with: { type: 'json' } })],
    french: ['fr-FR', () => import('./catalogs/french.json', { with: { type: 'json' } })],
    portuguese: ['pt-BR', () => import('./catalogs/portuguese.json', { with: { type: 'json' } })],
    chinese: ['zh-CN', () => import('./catalogs/chinese.json', { with: { type: 'json' } })],
    spanish: ['es-ES', () => import('./catalogs/spanish.json', { with: { type: 'json' } })],
  };

/** Returns the translator for a language. @param language the name of a lexicon */
export async function loadSay(language: string): Promise<Say> {
  const [locale, load] = Object.hasOwn(catalogs, language) ? (catalogs[language] ?? []) : [];
  if (locale === undefined || load === undefined) return english;
  return createSay((await load()).default, locale);
}

/** Creates a translator. A sentence that is missing from the catalog stays in English. */
export function createSay(catalog: Catalog, locale: string): Say {
  const shown = (value: PhraseValue) => (value instanceof Phrase ? value.in(say) : `${value ?? ''}`);
  const say: Say = (parts, ...values) => {
    const key = phraseKey(parts);
    const sentence = Object.hasOwn(catalog, key) ? catalog[key] : undefined;
    return (
      sentence?.replace(/\{(\d+)\}/g, (_, at) => shown(values[Number(at)])) ?? english(parts, ...values.map(shown))
    );
  };
  return Object.assign(say, { locale });
}
