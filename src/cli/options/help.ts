import { type ExitCode, exitCodeMeanings, exits } from '../../app/exit-codes.ts';

/** Help is no wider than this: longer lines are hard to read, and the build has rendered it for this width. */
export const HELP_COLUMNS = 80;

/** The "Examples" part of a help text: command, and what it is for. */
export function examples(lines: readonly (readonly [command: string, what: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  const rows = lines.map(([command, what]) =>
    width + what.length > 88 ? `  ${command}\n      ${what}` : `  ${command.padEnd(width)}   ${what}`,
  );
  return `\nExamples:\n${rows.join('\n')}\n`;
}

/** What every command may end with. */
const always = [exits.done, exits.failed, exits.usage, exits.interrupted];

/** The exit codes one command ends with, beside those that are every command's. */
export function exitCodes(codes: readonly ExitCode[]): string {
  const all = [...new Set<ExitCode>([...always, ...codes])].sort((a, b) => a - b);
  return `\nExit codes:\n${table(all)}\n`;
}

/** All exit codes there are. */
export function allExitCodes(): string {
  return `\nExit codes, the same for every command:\n${table(Object.keys(exitCodeMeanings).map(Number) as ExitCode[])}\n`;
}

function table(codes: readonly ExitCode[]): string {
  return codes.map((code) => `  ${String(code).padStart(3)}  ${exitCodeMeanings[code]}`).join('\n');
}
