import type { Command } from 'commander';
import { type ExitCode, exitCodeMeanings, exitCodes } from '../../app/exit-codes.ts';
import { lowercaseFirst } from '../../text/first-letter.ts';

/** Maximum width of the help. The build also pre-renders the help at this width. */
export const HELP_COLUMNS = 80;

/** Maximum length of an example that has its purpose on the same line. */
const MAX_EXAMPLE_COLUMN = 46;

export type CommandExample = readonly [command: string, purpose: string];

export function exampleText(lines: readonly CommandExample[]): string {
  // The purpose of a long command is on the next line, so that the purposes of short commands are not moved to the
  // right.
  const width = Math.max(...lines.map(([command]) => (command.length > MAX_EXAMPLE_COLUMN ? 0 : command.length)));
  const rows = lines.map(([command, what]) => {
    if (what === '') return `  ${command}`;
    const isLong = command.length > width || width + what.length + 5 > HELP_COLUMNS;
    return isLong ? `  ${command}\n      ${what}` : `  ${command.padEnd(width)}   ${what}`;
  });
  return `\nExamples:\n${rows.join('\n')}\n`;
}

const commonExitCodes = [exitCodes.done, exitCodes.failed, exitCodes.usage, exitCodes.interrupted];

export function exitCodeText(codes: readonly ExitCode[]): string {
  const all = [...new Set<ExitCode>([...commonExitCodes, ...codes])].sort((a, b) => a - b);
  return `\nExit codes:\n${exitCodeTable(all)}\n`;
}

export function allExitCodeText(): string {
  return `\nExit codes, the same for every command:\n${exitCodeTable(Object.keys(exitCodeMeanings).map(Number) as ExitCode[])}\n`;
}

function exitCodeTable(codes: readonly ExitCode[]): string {
  return codes.map((code) => `  ${String(code).padStart(3)}  ${exitCodeMeanings[code]}`).join('\n');
}

/** Returns a command's summary, or else its description's first sentence in lower case and without the period. */
export function commandSummary(command: Command): string {
  const [first = ''] = command.description().split(/(?<=[.!?])\s/, 1);
  const fragment = first.replace(/\.$/, '');
  // Keeps an acronym at the start of the sentence in upper case.
  return command.summary() || (/^[A-Z][a-z]/.test(fragment) ? lowercaseFirst(fragment) : fragment);
}
