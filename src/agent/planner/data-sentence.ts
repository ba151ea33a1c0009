import type { Period } from '../../trading/period.ts';
import type { Intent } from './intent.ts';
import { symbolsIn } from './price-sentence.ts';
import { show, span, spans, whole } from './time-spans.ts';
import { NotUnderstood } from './words.ts';

/* Questions about the calendar, news, activities, performance and the watchlist. */

const ofTime: readonly (readonly [RegExp, (period: Period | undefined) => Intent])[] = [
  [
    whole(
      `how (?:did|have|am|'?m) (?:i|my (?:portfolio|account)) (?:do|done|doing|perform|performed) ${span}|how(?:'s| is| has) my (?:portfolio|account) (?:doing|done|performed) ${span}`,
    ),
    (period) => ({ kind: 'performance', period: period ?? '1M' }),
  ],
  [
    whole(
      `how much (?:did|have) i (?:make|made|gain|gained|lose|lost|earn|earned) ${span}|${show}my (?:performance|returns?) ${span}`,
    ),
    (period) => ({ kind: 'performance', period: period ?? '1M' }),
  ],
  [
    whole(
      `${show}(?:my |the )?dividends(?: ${span})?|(?:what|which|how (?:much|many)) dividends? (?:did|have) i (?:get|got|receive|received|earn|earned)(?: ${span})?|how much (?:did|have) i (?:get|got|earn|earned) in dividends(?: ${span})?`,
    ),
    (period) => ({ kind: 'activities', kinds: ['dividend'], period: period ?? 'YTD' }),
  ],
  [
    whole(
      `${show}(?:my )?(?:last|latest|recent|past)? ?trades(?: ${span})?|what did i trade(?: lately| recently)?(?: ${span})?`,
    ),
    (period) => ({ kind: 'activities', kinds: ['fill'], period: period ?? '1M' }),
  ],
  [
    whole(`${show}(?:my |the )?(?:deposits|deposits and withdrawals)(?: ${span})?`),
    (period) => ({ kind: 'activities', kinds: ['deposit', 'withdrawal'], period: period ?? 'YTD' }),
  ],
  [
    whole(
      `${show}(?:my |the )?(?:recent |latest |account )?(?:activity|activities)(?: ${span})?|what happened in my account(?: ${span})?`,
    ),
    (period) => ({ kind: 'activities', period: period ?? '1M' }),
  ],
];

const fixed: readonly (readonly [RegExp, Intent])[] = [
  [
    whole(
      '(?:is|are) (?:the )?(?:stock )?(?:markets?|exchange) (?:open|closed|trading) tomorrow|does the (?:stock )?market (?:open|trade) tomorrow|can i trade tomorrow',
    ),
    { kind: 'calendar' },
  ],
  [
    whole(`${show}(?:the )?(?:latest |market |today's )?news(?: today)?|any news|what's new`),
    { kind: 'news', symbols: [] },
  ],
  [
    whole(
      `${show}(?:on |in )?my watch ?list|what(?:'s| is) on my watch ?list|what am i watching|watch ?list`,
    ),
    { kind: 'watchlist' },
  ],
];

const news =
  /^(?:(?:show|get|give|tell|read)(?: me)? )?(?:any |the |what's the )?(?:latest )?news (?:about|on|of|for) (.+)$|^what's new (?:with|at|about) (.+)$/i;
const add = /^(?:add|put) (.+) (?:to|on|onto) (?:my |the )?watch ?list$/i;
const remove = /^(?:remove|take|drop|delete) (.+) (?:from|off) (?:my |the )?watch ?list$/i;

export function readData(clause: string): Intent | undefined {
  for (const [pattern, intent] of ofTime) {
    const found = pattern.exec(clause);
    if (found === null) continue;
    const said = found.slice(1).find((part) => part !== undefined);
    return intent(said === undefined ? undefined : spans[said.toLowerCase()]);
  }
  const known = fixed.find(([pattern]) => pattern.test(clause))?.[1];
  if (known !== undefined) return known;
  const about = news.exec(clause);
  if (about !== null) return { kind: 'news', symbols: some(about[1] ?? about[2] ?? '') };
  const added = add.exec(clause)?.[1];
  if (added !== undefined) return { kind: 'watch', change: 'add', symbols: some(added) };
  const removed = remove.exec(clause)?.[1];
  if (removed !== undefined) return { kind: 'watch', change: 'remove', symbols: some(removed) };
  return undefined;
}

function some(list: string): string[] {
  const symbols = symbolsIn(list);
  if (symbols.length > 0) return symbols;
  throw new NotUnderstood('Which symbol do you mean?', 'Write it as in "news about AAPL".');
}
