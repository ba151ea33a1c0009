import { z } from 'zod';
import { phrase } from '../../text/phrase.ts';
import { matchesAssetName, normalizeName } from '../../trading/asset-name.ts';
import { listedSymbols } from '../../trading/listed-symbols.ts';
import { coinPairsByName } from './coins.ts';
import { NotUnderstoodError, truncateWord } from './refusal.ts';

export interface NameSearchResult {
  readonly query: string;
  readonly assets: readonly { readonly symbol: string; readonly name: string }[];
}

export const nameSearchSchema = z.lazy(() =>
  z.object({
    results: z.array(
      z.object({ query: z.string(), assets: z.array(z.object({ symbol: z.string(), name: z.string() })) }),
    ),
  }),
);

export const NAME_RULE = 'the asset list, by name';

/** Returns the search queries for a name. For a nickname, they include its tickers; the asset list has no nicknames. */
export function nameQueries(name: string): readonly string[] {
  return [...new Set([name, ...(tickersByNickname[nicknameKey(name)] ?? [])])];
}

/**
 * Returns the symbol of the only asset whose symbol, nickname or exact name matches.
 * @param known symbols that decide between several assets, such as those of the open orders
 * @throws {NotUnderstoodError} with a question if none or several match
 */
export function requireSymbol(name: string, found: readonly NameSearchResult[], known: readonly string[] = []): string {
  const symbol = findSymbol(name, found, known);
  if (symbol !== undefined) return symbol;
  const meant = matchingAssets(name, found);
  if (meant.length > 1) throw ambiguousName(name, meant);
  const near = foundAssets(name, found).slice(0, 5);
  if (near.length > 0) throw ambiguousName(name, near);
  throw new NotUnderstoodError(
    phrase`I can't find a stock or fund called "${truncateWord(name)}".`,
    phrase`Use its ticker symbol in capitals, as in "quote AAPL".`,
    'unknown_symbol',
  );
}

/** Like {@link requireSymbol}, but returns undefined instead of throwing. */
export function findSymbol(
  name: string,
  found: readonly NameSearchResult[],
  known: readonly string[] = [],
): string | undefined {
  const all = matchingAssets(name, found);
  const own = all.length > 1 ? all.filter(({ symbol }) => known.includes(symbol)) : all;
  return own.length === 1 ? own[0]?.symbol : undefined;
}

/** Returns whether several assets match a name, so that what is held decides. */
export function isAmbiguousName(name: string, found: readonly NameSearchResult[]): boolean {
  return matchingAssets(name, found).length > 1;
}

function matchingAssets(name: string, found: readonly NameSearchResult[]): NameSearchResult['assets'] {
  const tickers = tickersByNickname[nicknameKey(name)] ?? [];
  const queries = nameQueries(name);
  const listed = found.flatMap(({ query, assets }) => (queries.includes(query) ? assets : []));
  const said = normalizeName(name);
  const meant = listed.filter(
    (asset) =>
      asset.symbol === name.toUpperCase() ||
      tickers.includes(asset.symbol) ||
      (tickers.length === 0 && matchesAssetName(asset, said)),
  );
  const known = meant.length > 0 || tickers.length > 0 ? meant : longerNames(said, listed);
  return [...new Map(known.map((asset) => [asset.symbol, asset])).values()];
}

const MIN_SHORT_NAME = 4;

/** Returns the assets whose names begin with the person's words: "costco" for Costco Wholesale. */
function longerNames(said: ReturnType<typeof normalizeName>, listed: NameSearchResult['assets']) {
  if (said.words.length < MIN_SHORT_NAME) return [];
  return listed.filter(({ name }) => normalizeName(name).words.startsWith(`${said.words} `));
}

function foundAssets(name: string, found: readonly NameSearchResult[]): NameSearchResult['assets'] {
  return found.find(({ query }) => query === name)?.assets ?? [];
}

function ambiguousName(name: string, assets: NameSearchResult['assets']): NotUnderstoodError {
  const list = assets.map(({ symbol, name: full }) => `${symbol} (${full})`);
  const [only] = list;
  if (list.length === 1) {
    return new NotUnderstoodError(
      phrase`Do you mean ${only} by "${truncateWord(name)}"?`,
      phrase`Use the symbol, as in "quote ${assets[0]?.symbol}".`,
    );
  }
  return new NotUnderstoodError(
    phrase`Which do you mean by "${truncateWord(name)}": ${list.join(', ')}?`,
    phrase`Use the symbol, as in "quote ${assets[0]?.symbol}".`,
  );
}

const MIN_NAME_LENGTH = 4;
let listedNames: ReadonlyMap<string, string> | undefined;

/** Returns whether the words are a listed ticker, a listed company's name, or the beginning of exactly one name. */
export const isListedName = (said: string): boolean => listedTicker(said) !== undefined;

/** Returns the ticker that {@link isListedName} found. */
export function listedTicker(said: string): string | undefined {
  const name = said.replace(/'s$/, '');
  if (name.length > 1 && listedSymbols().has(name.toUpperCase())) return name.toUpperCase();
  // Compiling the names takes longer than reading a sentence, and most sentences have none.
  if (name.length < MIN_NAME_LENGTH) return undefined;
  listedNames ??= compileListedNames();
  return listedNames.get(normalizeName(name).words);
}

function compileListedNames(): ReadonlyMap<string, string> {
  const counts = new Map<string, { longer: number; ticker: string }>();
  for (const [ticker, { name }] of listedSymbols()) {
    const words = normalizeName(name).words.split(' ');
    words.forEach((_, at) => {
      const start = words.slice(0, at + 1).join(' ');
      const isWhole = at === words.length - 1;
      const { longer, ticker: other } = counts.get(start) ?? { longer: 0, ticker };
      counts.set(start, { longer: longer + (isWhole ? 0 : 1), ticker: isWhole ? ticker : other });
    });
  }
  return new Map(
    [...counts].flatMap(([start, { longer, ticker }]) =>
      longer <= 1 && start.length >= MIN_NAME_LENGTH ? [[start, ticker] as const] : [],
    ),
  );
}

function nicknameKey(name: string): string {
  const { words, shareClass } = normalizeName(name);
  return shareClass === undefined ? words : `${words} class ${shareClass}`;
}

/**
 * Common names that differ from the names in the asset list, with the tickers that they may mean. If several of the
 * tickers are in the asset list, the planner asks; tickers that are not in the list are ignored.
 */
export const tickersByNickname: Readonly<Record<string, readonly string[]>> = {
  ...coinPairsByName,
  google: ['GOOGL', 'GOOG'],
  'google class a': ['GOOGL'],
  'google class c': ['GOOG'],
  'alphabet class a': ['GOOGL'],
  'alphabet class c': ['GOOG'],
  facebook: ['META'],
  instagram: ['META'],
  meta: ['META'],
  berkshire: ['BRK.B', 'BRK.A'],
  'berkshire hathaway': ['BRK.B', 'BRK.A'],
  'berkshire class a': ['BRK.A'],
  'berkshire class b': ['BRK.B'],
  'berkshire hathaway class a': ['BRK.A'],
  'berkshire hathaway class b': ['BRK.B'],
  coke: ['KO'],
  cola: ['KO'],
  'eli lilly': ['LLY'],
  'berkshire b': ['BRK.B'],
  'coca cola': ['KO'],
  pepsi: ['PEP'],
  disney: ['DIS'],
  'walt disney': ['DIS'],
  lowes: ['LOW'],
  visa: ['V'],
  jpmorgan: ['JPM'],
  'jp morgan': ['JPM'],
  goldman: ['GS'],
  'goldman sachs': ['GS'],
  mcdonalds: ['MCD'],
  exxon: ['XOM'],
  lilly: ['LLY'],
  ford: ['F'],
  gm: ['GM'],
  boeing: ['BA'],
  nike: ['NKE'],
  starbucks: ['SBUX'],
  ibm: ['IBM'],
  'at and t': ['T'],
  amd: ['AMD'],
  jnj: ['JNJ'],
  'johnson and johnson': ['JNJ'],
  'bank of america': ['BAC'],
  'procter and gamble': ['PG'],
  'home depot': ['HD'],
  uber: ['UBER'],
  raytheon: ['RTX'],
  'general electric': ['GE'],
  tsmc: ['TSM'],
  schlumberger: ['SLB'],
  square: ['XYZ'],
  'duke energy': ['DUK'],
  's&p': ['SPY', 'VOO', 'IVV'],
  's&p 500': ['SPY', 'VOO', 'IVV'],
  's and p': ['SPY', 'VOO', 'IVV'],
  's and p 500': ['SPY', 'VOO', 'IVV'],
  sp500: ['SPY', 'VOO', 'IVV'],
  'exxon mobil': ['XOM'],
  exxonmobil: ['XOM'],
  'jpmorgan chase': ['JPM'],
  gamestop: ['GME'],
  'p and g': ['PG'],
  'brk b': ['BRK.B'],
  brkb: ['BRK.B'],
  'dow jones': ['DIA'],
  'the dow': ['DIA'],
  'russell 2000': ['IWM'],
  apples: ['AAPL'],
  microsofts: ['MSFT'],
  nvidias: ['NVDA'],
  teslas: ['TSLA'],
  amazons: ['AMZN'],
  googles: ['GOOGL', 'GOOG'],
  cokes: ['KO'],
  'coca colas': ['KO'],
  disneys: ['DIS'],
  intels: ['INTC'],
  nasdaq: ['QQQ'],
  'nasdaq 100': ['QQQ'],
};
