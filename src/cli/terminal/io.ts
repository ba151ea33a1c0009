import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';
import { TradeAgentError } from '../../errors/errors.ts';

export type InputStream = Readable & { isTTY?: boolean; setRawMode?: (raw: boolean) => unknown };
export type OutputStream = Writable & { isTTY?: boolean; columns?: number; rows?: number };

export type Io = Readonly<ReturnType<typeof createIo>>;

const isSet = (value: string | undefined) => value !== undefined && value !== '';

/**
 * Returns whether to use color. `--no-color` takes precedence, then FORCE_COLOR, then NO_COLOR (as in Node). If none is
 * set, uses color on a terminal but not in CI.
 */
export function shouldUseColor(env: NodeJS.ProcessEnv, isTty: boolean, noColor: boolean): boolean {
  if (noColor) return false;
  if (env.FORCE_COLOR !== undefined) return !['0', 'false'].includes(env.FORCE_COLOR);
  if (isSet(env.NO_COLOR)) return false;
  return isTty && env.TERM !== 'dumb' && !isCi(env);
}

function isCi(env: NodeJS.ProcessEnv): boolean {
  return isSet(env.CI) && env.CI !== 'false' && env.CI !== '0';
}

function decideUnicode(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): boolean {
  if (platform === 'win32') return isSet(env.WT_SESSION) || env.TERM_PROGRAM === 'vscode';
  if (env.TERM === 'linux' || env.TERM === 'dumb') return false;
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find(isSet);
  // Most containers set no locale but display UTF-8. LANG=C means ASCII.
  return locale === undefined || /utf-?8/i.test(locale);
}

export function createIo(parts: {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: NodeJS.ProcessEnv;
  readonly platform?: NodeJS.Platform;
  readonly noColor?: boolean;
}) {
  const { stdin, stdout, stderr, env } = parts;
  const stdinIsTty = stdin.isTTY === true;
  const stdoutIsTty = stdout.isTTY === true;
  const stderrIsTty = stderr.isTTY === true;
  const noColor = parts.noColor ?? false;
  const color = {
    stdout: shouldUseColor(env, stdoutIsTty, noColor),
    stderr: shouldUseColor(env, stderrIsTty, noColor),
  };
  const interactive = stdinIsTty && stderrIsTty && !isCi(env);
  const write = (stream: OutputStream, text: string) => {
    if (stream.writable) stream.write(text);
  };
  let diverted: ((line: string) => void) | undefined;
  return {
    stdin,
    stdout,
    stderr,
    stdinIsTty,
    stdoutIsTty,
    stderrIsTty,
    interactive,
    color,
    unicode: decideUnicode(env, parts.platform ?? process.platform),
    /** Returns the terminal's width in columns; 80 if there is no terminal. */
    width: () => stdout.columns ?? stderr.columns ?? 80,
    write: (text: string) => write(stdout, text),
    print: (line: string) => write(stdout, `${line}\n`),
    talk: (line: string) => (diverted === undefined ? write(stderr, `${line}\n`) : diverted(line)),
    /** Redirects messages to `to` while a screen is drawn, if stderr is a terminal. Undefined ends the redirection. */
    divertTalk: (to: ((line: string) => void) | undefined) => {
      diverted = stderrIsTty ? to : undefined;
    },
    paint: (stream: 'stdout' | 'stderr', style: Parameters<typeof styleText>[0], text: string) =>
      color[stream] ? styleText(style, text, { validateStream: false }) : text,
    /** Asks a question on stderr and reads one line. @throws {TradeAgentError} `usage` if there is no terminal */
    prompt: async (question: string, signal: AbortSignal) => {
      if (!interactive) {
        throw new TradeAgentError('usage', 'there is no terminal for a prompt', {
          hint: 'Pass the answer as an option; --help lists the options.',
        });
      }
      const lines = createInterface({ input: stdin, output: stderr });
      // In raw mode, readline handles Ctrl-C itself and would only close the prompt.
      lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
      // Rejects on Ctrl-D or when the terminal closes, because readline's promise would never settle.
      let onClose: () => void = () => undefined;
      const closed = new Promise<never>((_, reject) => {
        onClose = () => {
          write(stderr, '\n');
          reject(new TradeAgentError('interrupted', 'no answer was given'));
        };
        lines.once('close', onClose);
      });
      try {
        return await Promise.race([lines.question(question, { signal }), closed]);
      } finally {
        lines.off('close', onClose);
        lines.close();
      }
    },
  };
}
