import { exitCodeForError } from '../../app/exit-codes.ts';
import { toErrorObject } from '../../errors/error-object.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { safeJson } from '../../text/safe-json.ts';
import { safeText } from '../../text/sanitize.ts';
import type { Io } from '../terminal/io.ts';

export const outputFormats = ['text', 'json', 'stream-json', 'csv'] as const;
export type OutputFormat = (typeof outputFormats)[number];

export type Output = ReturnType<typeof createOutput>;

/** Filters JSON text. @param indented whether to indent the filtered result */
type JqFilter = (json: string, indented: boolean) => string;

/**
 * Creates the output for the global options. @param command such as `orders list` @throws {TradeAgentError} `usage` for
 * invalid options
 */
export async function openOutput(
  io: Io,
  { output, jq }: { readonly output: OutputFormat; readonly jq?: string },
  command: string,
): Promise<Output> {
  if (output === 'csv') {
    const { csvCommandNames, isCsvCommand } = await import('../format/csv-lists.ts');
    if (!isCsvCommand(command)) {
      throw new TradeAgentError('usage', `${command} does not print a list, which --output csv requires`, {
        hint: `Commands that print lists: ${csvCommandNames()}.`,
      });
    }
  }
  if (jq === undefined) return createOutput(io, output);
  if (output === 'csv' || output === 'stream-json') {
    throw new TradeAgentError('usage', `--jq works with --output json, not ${output}`, {
      hint: 'Leave out --output: --jq implies json.',
    });
  }
  const { createJqFilter } = await import('../format/jq.ts');
  return createOutput(io, 'json', await createJqFilter(jq));
}

/** Writes a command's result to stdout in the selected format. All other text must go to `io.talk`. */
export function createOutput(io: Io, format: OutputFormat, filter?: JqFilter) {
  const print = (lines: string, shown = (text: string) => text) => {
    if (lines !== '') io.print(shown(lines));
  };
  return {
    format,
    /**
     * Prints the command's only result: `text()` in text format, otherwise `{schema: "trade-agent.<name>/1", …data}` as
     * JSON, on one line unless stdout is a terminal.
     */
    async result(name: string, data: Record<string, unknown>, text: () => string | Promise<string>) {
      if (format === 'text') return print(await text());
      if (format === 'csv') return io.write((await import('../format/csv.ts')).formatCsv(name, data));
      const object = { schema: `trade-agent.${name}/1`, ...data };
      if (filter === undefined) return io.print(safeJson(object, format === 'json' && io.stdoutIsTty ? 2 : 0));
      print(filter(JSON.stringify(object), io.stdoutIsTty), io.stdoutIsTty ? safeText : undefined);
    },
    event(event: Record<string, unknown>) {
      if (format === 'stream-json') io.print(safeJson(event));
    },
  };
}

/**
 * Prints an error. With `--output json` or `stream-json`, prints an object to stdout; otherwise, and with `--jq`,
 * prints two lines to stderr.
 * @returns the exit code
 */
export function reportError(io: Io, format: OutputFormat, error: unknown): number {
  const object = toErrorObject(error);
  if (format === 'text' || format === 'csv') printError(io, object);
  else io.print(safeJson({ schema: 'trade-agent.error/1', error: object }));
  return exitCodeForError(object.code);
}

/** Prints `error: …` and `hint: …` (default: to stderr). */
export function printError(
  io: Io,
  { message, hint }: { message: string; hint?: string },
  tell = (line: string) => io.talk(line),
): void {
  tell(`${io.paint('stderr', ['red', 'bold'], 'error:')} ${safeText(message)}`);
  if (hint !== undefined) tell(`${io.paint('stderr', 'bold', 'hint:')} ${safeText(hint)}`);
}

/**
 * Returns the output format that the arguments request. Accepts invalid arguments, because an error about them must be
 * reported in this format, too.
 */
export function parseRequestedFormat(args: readonly string[], env: NodeJS.ProcessEnv = {}): OutputFormat {
  const end = args.indexOf('--');
  const options = end === -1 ? args : args.slice(0, end);
  // With `--jq`, an error can't be a JSON object, because the expression determines the format of stdout.
  if (options.some((arg) => arg === '--jq' || arg.startsWith('--jq='))) return 'text';
  const index = options.findLastIndex((arg) => arg === '--output' || arg.startsWith('--output='));
  const value = options[index]?.startsWith('--output=')
    ? options[index]?.slice('--output='.length)
    : options[index + 1];
  if (index === -1) return outputFormats.find((format) => format === env.TRADE_AGENT_OUTPUT) ?? 'text';
  return outputFormats.find((format) => format === value) ?? 'text';
}
