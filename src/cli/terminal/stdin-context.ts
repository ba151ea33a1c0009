import type { Clock } from '../../machine/clock.ts';
import { TradeAgentError } from '../../trading/errors.ts';
import type { InputStream } from './io.ts';

export interface StdinLimits {
  /** How long to wait for the first byte, in milliseconds: a pipe that nobody writes to must not hold a run up. */
  readonly firstByteMs: number;
  /** How long to wait for the end once bytes came. */
  readonly endMs: number;
  readonly maxBytes: number;
}

export const contextLimits: StdinLimits = { firstByteMs: 500, endMs: 5000, maxBytes: 256 * 1024 };

/** Where standard input is the prompt itself (`-`), it is worth a longer wait. */
export const promptLimits: StdinLimits = { firstByteMs: 30_000, endMs: 10_000, maxBytes: 64 * 1024 };

export interface StdinText {
  readonly text: string;
  /** `end`: all of it. `cut`: more than `maxBytes` came. `open`: the writer neither wrote on nor closed. */
  readonly ended: 'end' | 'cut' | 'open';
}

/**
 * Reads standard input that isn't a terminal, and then lets go of it, so that an open pipe neither hangs the run nor
 * keeps the process alive. Undefined where nothing came.
 */
export async function readStdin(
  stdin: InputStream,
  limits: StdinLimits,
  clock: Clock,
): Promise<StdinText | undefined> {
  if (stdin.isTTY === true || stdin.readableEnded || stdin.destroyed) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  const timer = new AbortController();
  const firstByte = new AbortController();

  const ended = await new Promise<StdinText['ended']>((resolve) => {
    const onData = (chunk: Buffer | string) => {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      firstByte.abort();
      chunks.push(bytes);
      size += bytes.length;
      if (size > limits.maxBytes) resolve('cut');
    };
    stdin.on('data', onData);
    stdin.once('end', () => resolve('end'));
    stdin.once('close', () => resolve('end'));
    stdin.once('error', () => resolve('end'));
    clock
      .sleep(limits.firstByteMs, firstByte.signal)
      .then(() => resolve('open'))
      .catch(() => clock.sleep(limits.endMs, timer.signal).then(() => resolve('open')))
      .catch(() => undefined);
  });
  timer.abort();
  firstByte.abort();
  stdin.removeAllListeners('data');
  stdin.on('error', () => undefined);
  stdin.pause();
  stdin.destroy();
  if (size === 0) return undefined;
  // A character cut in two at the limit becomes U+FFFD; drop it.
  const text = Buffer.concat(chunks)
    .subarray(0, limits.maxBytes)
    .toString('utf8')
    .replace(/\uFFFD$/, '');
  return { text, ended };
}

/**
 * The prompt read from standard input (`run -`).
 * @throws {TradeAgentError} `usage` where nothing usable came
 */
export async function readPrompt(stdin: InputStream, clock: Clock): Promise<string> {
  const read = await readStdin(stdin, promptLimits, clock);
  const text = read?.text.trim() ?? '';
  if (text === '') {
    throw new TradeAgentError('usage', 'standard input held no prompt', {
      hint: 'Pipe it in: echo "what do I own" | trade-agent run -',
    });
  }
  // Half a prompt can ask for another order than the whole one.
  if (read?.ended !== 'end') {
    throw new TradeAgentError(
      'usage',
      read?.ended === 'cut'
        ? `the prompt on standard input is longer than ${promptLimits.maxBytes / 1024} KiB`
        : 'the prompt on standard input did not end',
      { hint: 'Close the pipe after the prompt, or give the prompt as an argument.' },
    );
  }
  return text;
}
