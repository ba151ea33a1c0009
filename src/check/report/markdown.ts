import { formatDollarAmount } from '../../trading/amounts.ts';
import { formatNewYorkTime } from '../../trading/date-words.ts';
import { Dec } from '../../trading/decimal.ts';
import type { CheckResult } from '../result-schema.ts';
import { escapeMarkdown } from './escape.ts';
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

export function renderMarkdownReport(result: CheckResult): string {
  const e = escapeMarkdown;
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', `## ${title}`, '', ...lines];
  const bullets = (lines: readonly string[]) => lines.map((line) => `- ${e(line)}`);
  const percent = (fraction: string) => `${new Dec(fraction).mul(100).toFixed(1)}%`;
  const { figures } = result;
  return [
    `# Portfolio check: ${e(summaryLine(result))}`,
    '',
    `${e(accountLine(result))}, ${e(formatNewYorkTime(result.checked_at))}; market ${e(marketLine(result))}`,
    ...section(
      'Findings',
      result.findings.map(({ severity, message, rule }) => `- **${e(severity)}** ${e(message)} (${e(rule)})`),
    ),
    ...section(
      'Ongoing',
      bullets(result.ongoing.map(({ message, since }) => `${message}, since ${formatReportDate(since)}`)),
    ),
    ...section('Snoozed', bullets(result.snoozed.map(({ message }) => message))),
    ...section('Suggested orders', bullets(suggestedLines(result))),
    ...section('Orders', bullets(outcomeLines(result))),
    ...section('Figures', [
      '| | |',
      '|---|---|',
      ...figureLines(result).map(([label, value]) => `| ${e(label)} | ${e(value)} |`),
    ]),
    ...section('Positions', [
      '| symbol | value | weight |',
      '|---|---:|---:|',
      ...figures.by_symbol.map(
        ({ name, value, weight }) => `| ${e(name)} | ${e(formatDollarAmount(value))} | ${percent(weight)} |`,
      ),
    ]),
    ...section('Skipped', bullets(result.skipped.map(skippedLine))),
    ...section('Notes', bullets(result.notes)),
    '',
  ].join('\n');
}
