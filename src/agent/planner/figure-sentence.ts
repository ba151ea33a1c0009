import type { Period } from '../../trading/period.ts';
import type { Intent, PerformanceFigure } from './intent.ts';
import { show, span, spans, whole } from './time-spans.ts';
import { onlySymbol, Words } from './words.ts';

/* Questions about realized gains, benchmarks, ratios, and dividends by month. */

const year = '(?:(?:over|in|for|during) )?(this year|last year|(?:19|20)\\d\\d)';
const realized = 'reali[sz]ed (?:capital )?(?:gains?|loss(?:es)?|gains? and loss(?:es)?|p\\/?l|profits?)';
const gains = [
  whole(`what (?:did|have) i reali[sz]ed?(?: ${year})?|how much (?:did|have) i reali[sz]ed?(?: ${year})?`),
  whole(`${show}(?:my |the )?${realized}(?: ${year})?|${show}my capital gains?(?: ${year})?`),
];

const beside = '(?:compared? (?:with|to|against)|against|versus|vs\\.?)';
const compare = [
  whole(
    `how (?:do|did|does|am|is|have) (?:i|my (?:portfolio|account)|my returns?) (?:(?:do|doing|done|perform|performed|performing) )?${beside} (.+?)(?: ${span})?`,
  ),
  whole(
    `compare (?:me|my (?:portfolio|account|returns?|performance)) (?:with|to|against) (.+?)(?: ${span})?`,
  ),
];
const index = /^(?:the )?(?:s&p|s ?& ?p|s&p ?500|s ?& ?p ?500|sp500)(?: index)?$/i;

const ratios: readonly (readonly [RegExp, PerformanceFigure])[] = (
  ['sharpe', 'sortino', 'beta'] as const
).map((figure) => [
  whole(`${show}(?:my |the )?${figure}${figure === 'beta' ? '' : '(?: ratio)?'}(?: ${span})?`),
  figure,
]);
const dividends = whole(
  `${show}(?:my |the )?(?:dividends (?:by|per|each|every|a) month|monthly dividends|dividends month by month)(?: ${span})?`,
);

export function readFigure(clause: string): Intent | undefined {
  const sold = firstOf(gains, clause);
  if (sold !== undefined) {
    const said = sold
      .slice(1)
      .find((part) => part !== undefined)
      ?.toLowerCase();
    return said === undefined ? { kind: 'gains' } : { kind: 'gains', year: said.replace(/ year$/, '') };
  }
  const compared = firstOf(compare, clause);
  if (compared !== undefined) {
    const period = periodOf(compared.slice(2)) ?? 'YTD';
    return { kind: 'performance', period, benchmark: benchmarkIn(compared[1] ?? '') };
  }
  for (const [pattern, figure] of ratios) {
    const found = pattern.exec(clause);
    if (found !== null) return { kind: 'performance', period: periodOf(found.slice(1)) ?? '1Y', figure };
  }
  const paid = dividends.exec(clause);
  if (paid === null) return undefined;
  return { kind: 'performance', period: periodOf(paid.slice(1)) ?? 'YTD', figure: 'dividends' };
}

function firstOf(patterns: readonly RegExp[], clause: string): RegExpExecArray | undefined {
  for (const pattern of patterns) {
    const found = pattern.exec(clause);
    if (found !== null) return found;
  }
  return undefined;
}

function periodOf(groups: readonly (string | undefined)[]): Period | undefined {
  const said = groups.find((part) => part !== undefined);
  return said === undefined ? undefined : spans[said.toLowerCase()];
}

function benchmarkIn(text: string): string {
  return index.test(text) ? 'SPY' : onlySymbol(new Words(text), 'how do I compare with SPY this year');
}
