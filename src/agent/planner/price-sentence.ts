import type { Intent } from './intent.ts';
import { NotUnderstoodError, WordReader } from './words.ts';

const quotePatterns = [
  /^(?:(?:show|get|give|tell)(?: me)? )?(?:a |the |me )?(?:current |latest |live )?(?:(?:stock|share) )?(?:quotes?|prices?)(?: (?:of|for|on))? (.+)$/i,
  /^(?:what(?:'s| is| are)) (?:the )?(?:current |latest )?(?:(?:stock|share) )?(?:price|prices|quote|quotes) (?:of|for|on) (.+)$/i,
  /^what(?:'s| is) (.+?) (?:trading at|going for|selling for|worth|at)(?: now| right now| today)?$/i,
  /^what(?:'s| does) (.+?) (?:cost|trade at)(?: now| right now)?$/i,
  /^how much (?:is|are|does|do) (?:a share of |one share of |shares of )?(.+?)(?: cost| worth| trading at| trade at)?(?: now| right now)?$/i,
  /^(?:how(?:'s| is)) (.+?) (?:doing|trading)(?: now| right now| today)?$/i,
  /^(?:(?:what(?:'s| is) )?the )?(?:current )?(.+?)(?:'s)? (?:current )?(?:(?:stock|share) )?(?:price|quote)$/i,
];

export function parseQuote(clause: string): Intent | undefined {
  for (const pattern of quotePatterns) {
    const list = pattern.exec(clause)?.[1];
    if (list !== undefined) return { kind: 'quote', symbols: parseSymbols(list) };
  }
  return undefined;
}

export function parseSymbols(list: string): string[] {
  const symbols = list.split(',').flatMap((part) => {
    const words = new WordReader(part);
    words.takeAny('shares of', 'the');
    const found: string[] = [];
    while (!words.done) {
      found.push(words.symbol());
      words.takeAny('shares', 'share', 'stocks', 'stock');
    }
    return found;
  });
  if (symbols.length > 20) {
    throw new NotUnderstoodError('That is more than 20 symbols.', 'Ask for fewer at once.');
  }
  return symbols;
}

/** Returns the symbols of a clause that has only tickers: `AAPL`, `$aapl`, `MSFT, NVDA`. */
function bareSymbols(clause: string): string[] | undefined {
  const words = clause.split(/[\s,]+/).filter((word) => word !== '');
  const symbols = words.flatMap((word) => {
    const ticker = /^\$?([A-Z][A-Z0-9]{0,9}(?:[./][A-Z0-9]{1,4})?)\??$|^\$([a-z]{1,5})\??$/.exec(word);
    return ticker === null ? [] : [(ticker[1] ?? ticker[2] ?? '').toUpperCase()];
  });
  return symbols.length > 0 && symbols.length === words.length ? symbols : undefined;
}

/** Matches words that are not read as tickers even though they are in capitals. */
const nonTickerWords = /^(?:YES|NO|OK|OKAY|STOP|BUY|SELL|HELP|QUIT|EXIT|UNDO|GO|HALT|ALL|CANCEL|HOLD|WAIT|I|A)$/;

export function parseBareSymbols(clause: string): Intent | undefined {
  const symbols = bareSymbols(clause);
  if (symbols === undefined || symbols.length > 20 || symbols.some((symbol) => nonTickerWords.test(symbol))) {
    return undefined;
  }
  return { kind: 'quote', symbols };
}

/** Returns the symbols of a clause that continues "quote AAPL and". */
export function parseMoreSymbols(clause: string): string[] | undefined {
  const tickers = bareSymbols(clause);
  if (tickers !== undefined) return tickers;
  if (!/^[\p{L}&.'’ -]+$/u.test(clause) || clause.split(' ').length > 3) return undefined;
  try {
    const words = new WordReader(clause);
    const symbol = words.symbol();
    words.takeAny('stock', 'shares');
    return words.done ? [symbol] : undefined;
  } catch (error) {
    if (error instanceof NotUnderstoodError) return undefined;
    throw error;
  }
}

const chartPatterns = [
  /^(?:chart|graph|plot) (?:of )?(.+)$/i,
  /^(?:(?:show|draw|give|plot|get)(?: me)? )?(?:a |the )?(?:price )?(?:chart|graph|history) (?:of|for) (.+)$/i,
  /^(?:(?:show|draw|give|plot|get)(?: me)? )?(?:a |the )?(.+) (?:chart|graph|price history)$/i,
];
const DAYS_PER_UNIT: Readonly<Record<string, number>> = { d: 1, w: 7, m: 30, y: 365 };
const timeSpan =
  /^(.+?) (?:(?:over|for|in) )?(?:(?:the )?(?:last|past) )?(?:(\d{1,3}) ?|(?=[dwmy]))(d|w|m|y|days?|weeks?|months?|years?)$/i;
const DEFAULT_DAYS = 90;
const MAX_DAYS = 365;

export function parseChart(clause: string): Intent | undefined {
  const what = chartPatterns.map((pattern) => pattern.exec(clause)?.[1]).find((found) => found !== undefined);
  if (what === undefined) return undefined;
  const parts = timeSpan.exec(what);
  const days =
    parts === null
      ? DEFAULT_DAYS
      : Number(parts[2] ?? 1) * (DAYS_PER_UNIT[(parts[3] ?? '').charAt(0).toLowerCase()] ?? 0);
  if (days < 1 || days > MAX_DAYS) {
    throw new NotUnderstoodError('I can draw charts of one day to one year.', 'Try "chart AAPL 6 months".');
  }
  const words = new WordReader(parts?.[1] ?? what);
  const symbol = words.symbol('Try "chart AAPL".');
  words.takeAny('shares', 'stock');
  if (!words.done) throw new NotUnderstoodError('I can draw only one symbol at a time.', 'Try "chart AAPL".');
  return { kind: 'chart', symbol, days };
}

const positionPatterns = [
  /^how (?:much|many)(?: shares of| shares in)? (.+?)(?: shares| stock)? (?:do i|have i) (?:own|have|hold|got)$/i,
  /^how many shares (?:of|in) (.+) (?:do i|have i) (?:own|have|hold|got)$/i,
  /^do i (?:own|have|hold) (?:any )?(.+?)(?: shares| stock)?$/i,
  /^(?:(?:show|what(?:'s| is))(?: me)? )?my (.+) (?:position|holding|shares|stake)$/i,
  /^how(?:'s| is| are) my (.+?)(?: position| shares| stock)? doing$/i,
];

export function parsePositionQuestion(clause: string): Intent | undefined {
  for (const pattern of positionPatterns) {
    const what = pattern.exec(clause)?.[1];
    if (what === undefined) continue;
    try {
      const words = new WordReader(what);
      const symbol = words.symbol();
      return words.done ? { kind: 'portfolio', symbol } : undefined;
    } catch (error) {
      if (!(error instanceof NotUnderstoodError)) throw error;
    }
  }
  return undefined;
}
