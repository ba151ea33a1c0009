import type { Period } from '../../trading/period.ts';
import type { Intent, PerformanceFigure } from './intent.ts';
import { parseSymbols } from './price-sentence.ts';
import { NotUnderstoodError, parseSingleSymbol, WordReader } from './words.ts';

/* Questions about the calendar, news, activities, performance and the watchlist. */

const spans: Readonly<Record<string, Period>> = {
  'this week': '1W',
  'the last week': '1W',
  'last week': '1W',
  'the past week': '1W',
  'this month': 'MTD',
  'the last month': '1M',
  'the past month': '1M',
  'this year': 'YTD',
  'so far this year': 'YTD',
  'the last year': '1Y',
  'the past year': '1Y',
};

const span = `(?:(?:over|in|for|during) )?(${Object.keys(spans).join('|')})`;
export const showPattern = "(?:(?:show|list|see|get|give|tell|what(?:'s| is| are|'re| were))(?: me)? )?";

export const wholeClausePattern = (pattern: string) => new RegExp(`^(?:${pattern})$`, 'i');

const ofTime: readonly (readonly [RegExp, (period: Period | undefined) => Intent])[] = [
  [
    wholeClausePattern(
      `how (?:did|have|am|'?m) (?:i|my (?:portfolio|account)) (?:do|done|doing|perform|performed) ${span}|how(?:'s| is| has) my (?:portfolio|account) (?:doing|done|performed) ${span}`,
    ),
    (period) => ({ kind: 'performance', period: period ?? '1M' }),
  ],
  [
    wholeClausePattern(
      `how much (?:did|have) i (?:make|made|gain|gained|lose|lost|earn|earned) ${span}|${showPattern}my (?:performance|returns?) ${span}`,
    ),
    (period) => ({ kind: 'performance', period: period ?? '1M' }),
  ],
  [
    wholeClausePattern(
      `${showPattern}(?:my |the )?dividends(?: ${span})?|(?:what|which|how (?:much|many)) dividends? (?:did|have) i (?:get|got|receive|received|earn|earned)(?: ${span})?|how much (?:did|have) i (?:get|got|earn|earned) in dividends(?: ${span})?`,
    ),
    (period) => ({ kind: 'activities', kinds: ['dividend'], period: period ?? 'YTD' }),
  ],
  [
    wholeClausePattern(
      `${showPattern}(?:my )?(?:last|latest|recent|past)? ?trades(?: ${span})?|what did i trade(?: lately| recently)?(?: ${span})?`,
    ),
    (period) => ({ kind: 'activities', kinds: ['fill'], period: period ?? '1M' }),
  ],
  [
    wholeClausePattern(`${showPattern}(?:my |the )?(?:deposits|deposits and withdrawals)(?: ${span})?`),
    (period) => ({ kind: 'activities', kinds: ['deposit', 'withdrawal'], period: period ?? 'YTD' }),
  ],
  [
    wholeClausePattern(
      `${showPattern}(?:my |the )?(?:recent |latest |account )?(?:activity|activities)(?: ${span})?|what happened in my account(?: ${span})?`,
    ),
    (period) => ({ kind: 'activities', period: period ?? '1M' }),
  ],
];

const fixed: readonly (readonly [RegExp, Intent])[] = [
  [
    wholeClausePattern(
      '(?:is|are) (?:the )?(?:stock )?(?:markets?|exchange) (?:open|closed|trading) tomorrow|does the (?:stock )?market (?:open|trade) tomorrow|can i trade tomorrow',
    ),
    { kind: 'calendar' },
  ],
  [
    wholeClausePattern(`${showPattern}(?:the )?(?:latest |market |today's )?news(?: today)?|any news|what's new`),
    { kind: 'news', symbols: [] },
  ],
  [
    wholeClausePattern(
      `${showPattern}(?:on |in )?my watch ?list|what(?:'s| is) on my watch ?list|what am i watching|watch ?list`,
    ),
    { kind: 'watchlist' },
  ],
];

const news =
  /^(?:(?:show|get|give|tell|read)(?: me)? )?(?:any |the |what's the )?(?:latest )?news (?:about|on|of|for) (.+)$|^what's new (?:with|at|about) (.+)$/i;
const add = /^(?:add|put) (.+) (?:to|on|onto) (?:my |the )?watch ?list$/i;
const remove = /^(?:remove|take|drop|delete) (.+) (?:from|off) (?:my |the )?watch ?list$/i;

export function parseDataQuestion(clause: string): Intent | undefined {
  for (const [pattern, intent] of ofTime) {
    const found = pattern.exec(clause);
    if (found === null) continue;
    const said = found.slice(1).find((part) => part !== undefined);
    return intent(said === undefined ? undefined : spans[said.toLowerCase()]);
  }
  const known = fixed.find(([pattern]) => pattern.test(clause))?.[1];
  if (known !== undefined) return known;
  const about = news.exec(clause);
  if (about !== null) return { kind: 'news', symbols: requireSymbols(about[1] ?? about[2] ?? '') };
  const added = add.exec(clause)?.[1];
  if (added !== undefined) return { kind: 'watch', change: 'add', symbols: requireSymbols(added) };
  const removed = remove.exec(clause)?.[1];
  if (removed !== undefined) return { kind: 'watch', change: 'remove', symbols: requireSymbols(removed) };
  return undefined;
}

function requireSymbols(list: string): string[] {
  const symbols = parseSymbols(list);
  if (symbols.length > 0) return symbols;
  throw new NotUnderstoodError('Which symbol do you mean?', 'Try "news about AAPL".');
}

/* Questions about realized gains, benchmarks, ratios, and dividends by month. */

const year = '(?:(?:over|in|for|during) )?(this year|last year|(?:19|20)\\d\\d)';
const realized = 'reali[sz]ed (?:capital )?(?:gains?|loss(?:es)?|gains? and loss(?:es)?|p\\/?l|profits?)';
const gains = [
  wholeClausePattern(`what (?:did|have) i reali[sz]ed?(?: ${year})?|how much (?:did|have) i reali[sz]ed?(?: ${year})?`),
  wholeClausePattern(
    `${showPattern}(?:my |the )?${realized}(?: ${year})?|${showPattern}my capital gains?(?: ${year})?`,
  ),
];

const beside = '(?:compared? (?:with|to|against)|against|versus|vs\\.?)';
const compare = [
  wholeClausePattern(
    `how (?:do|did|does|am|is|have) (?:i|my (?:portfolio|account)|my returns?) (?:(?:do|doing|done|perform|performed|performing) )?${beside} (.+?)(?: ${span})?`,
  ),
  wholeClausePattern(
    `compare (?:me|my (?:portfolio|account|returns?|performance)) (?:with|to|against) (.+?)(?: ${span})?`,
  ),
];
const index = /^(?:the )?(?:s&p|s ?& ?p|s&p ?500|s ?& ?p ?500|sp500)(?: index)?$/i;

const ratios: readonly (readonly [RegExp, PerformanceFigure])[] = (['sharpe', 'sortino', 'beta'] as const).map(
  (figure) => [
    wholeClausePattern(`${showPattern}(?:my |the )?${figure}${figure === 'beta' ? '' : '(?: ratio)?'}(?: ${span})?`),
    figure,
  ],
);
const dividends = wholeClausePattern(
  `${showPattern}(?:my |the )?(?:dividends (?:by|per|each|every|a) month|monthly dividends|dividends month by month)(?: ${span})?`,
);

export function parseFigureQuestion(clause: string): Intent | undefined {
  const sold = firstMatch(gains, clause);
  if (sold !== undefined) {
    const said = sold
      .slice(1)
      .find((part) => part !== undefined)
      ?.toLowerCase();
    return said === undefined ? { kind: 'gains' } : { kind: 'gains', year: said.replace(/ year$/, '') };
  }
  const compared = firstMatch(compare, clause);
  if (compared !== undefined) {
    const period = toPeriod(compared.slice(2)) ?? 'YTD';
    return { kind: 'performance', period, benchmark: toBenchmark(compared[1] ?? '') };
  }
  for (const [pattern, figure] of ratios) {
    const found = pattern.exec(clause);
    if (found !== null) return { kind: 'performance', period: toPeriod(found.slice(1)) ?? '1Y', figure };
  }
  const paid = dividends.exec(clause);
  if (paid === null) return undefined;
  return { kind: 'performance', period: toPeriod(paid.slice(1)) ?? 'YTD', figure: 'dividends' };
}

function firstMatch(patterns: readonly RegExp[], clause: string): RegExpExecArray | undefined {
  for (const pattern of patterns) {
    const found = pattern.exec(clause);
    if (found !== null) return found;
  }
  return undefined;
}

function toPeriod(groups: readonly (string | undefined)[]): Period | undefined {
  const said = groups.find((part) => part !== undefined);
  return said === undefined ? undefined : spans[said.toLowerCase()];
}

function toBenchmark(text: string): string {
  return index.test(text) ? 'SPY' : parseSingleSymbol(new WordReader(text), 'how do I compare with SPY this year');
}
