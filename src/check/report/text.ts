import { safeLine } from '../../text/sanitize.ts';
import { formatDate, formatNewYorkTime } from '../../trading/date-words.ts';
import type { CheckResult } from '../result-schema.ts';
import {
  accountLine,
  figureLines,
  formatReportDate,
  marketLine,
  outcomeLines,
  skippedLine,
  suggestedLines,
  summaryLine,
} from './lines.ts';

export function renderTextReport(result: CheckResult): string {
  const rows = (pairs: readonly (readonly [string, string])[]) =>
    pairs.map(([label, value]) => `${label.padEnd(24)}${safeLine(value)}`);
  const list = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${safeLine(line)}`)];
  const findings = result.findings.map(({ severity, rule, message }) => `${severity.padEnd(9)}${message} [${rule}]`);
  const { suggestion } = result;
  const suggested = suggestedLines(result);
  return [
    `${summaryLine(result)}`,
    ...findings.map((line) => `  ${safeLine(line)}`),
    ...list(
      'ongoing',
      result.ongoing.map(({ message, rule, since }) => `${message} [${rule}, since ${formatReportDate(since)}]`),
    ),
    ...list(
      'snoozed',
      result.snoozed.map(({ message, rule }) => `${message} [${rule}]`),
    ),
    ...list('suggested', suggestion === null || suggested.length > 0 ? suggested : ['nothing: all targets are met']),
    ...list('orders', outcomeLines(result)),
    ...list('skipped', result.skipped.map(skippedLine)),
    '',
    ...rows([
      ['account', accountLine(result)],
      ['checked', formatNewYorkTime(result.checked_at)],
      ['market', marketLine(result)],
      ...result.market.closures.map(
        ({ date, what }) => ['', `${what} on ${formatDate(date)}`.replace(/^is /, '')] as const,
      ),
      ...figureLines(result),
    ]),
    ...list('notes', result.notes),
  ].join('\n');
}
