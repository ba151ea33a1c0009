import { TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import type { InputStream } from './io.ts';

interface StdinLimits {
  /** Milliseconds until `waitOn` is asked; without it, forever. */
  readonly firstByteMs?: number;
  /** Asked once; without it nobody waits longer for a first byte. @param came whether anything did */
  readonly waitOn?: (came: boolean) => boolean;
  /** Milliseconds to wait for the end once bytes came; without it, forever. */
  readonly endMs?: number;
  readonly maxBytes: number;
}

/** Milliseconds: what is there is read without a message, and nobody minds so short a wait. */
export const FIRST_BYTE_MS = 500;
/** Bytes. */
export const MOST_CONTEXT = 256 * 1024;
/** Bytes. */
export const MOST_PROMPT = 64 * 1024;

export interface StdinText {
  readonly text: string;
  /** `end`: all of it. `cut`: more than `maxBytes` came. `open`: the wait ended before the writer closed. */
  readonly ended: 'end' | 'cut' | 'open';
}

/**
 * Reads standard input that isn't a terminal, then releases it, so that an open pipe neither hangs the run nor keeps
 * the process alive. @throws the signal's reason
 */
export async function readStdin(
  stdin: InputStream,
  { firstByteMs, waitOn, endMs, maxBytes }: StdinLimits,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal },
): Promise<StdinText> {
  if (stdin.isTTY === true || stdin.readableEnded || stdin.destroyed) return { text: '', ended: 'end' };
  const chunks: Buffer[] = [];
  let size = 0;
  const timer = new AbortController();
  const firstByte = new AbortController();
  const pause = (ms: number | undefined, until: AbortSignal) =>
    ms === undefined ? new Promise<void>(() => undefined) : clock.sleep(ms, until);
  let onAbort: () => void = () => undefined;
  try {
    const ended = await new Promise<StdinText['ended']>((resolve, reject) => {
      onAbort = () => reject(signal?.reason);
      if (signal?.aborted) onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      stdin.on('data', (chunk: Buffer | string) => {
        const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
        if (size === 0) {
          pause(endMs, timer.signal)
            .then(() => resolve('open'))
            .catch(() => undefined);
        }
        chunks.push(bytes);
        size += bytes.length;
        if (size > maxBytes) resolve('cut');
      });
      stdin.once('end', () => resolve('end'));
      stdin.once('close', () => resolve('end'));
      stdin.once('error', () => resolve('end'));
      pause(firstByteMs, firstByte.signal)
        .then(() => {
          const goesOn = waitOn?.(size > 0) ?? size > 0;
          if (!goesOn) resolve('open');
        })
        .catch(() => undefined);
    });
    // A character cut in two at the limit becomes U+FFFD; drop it.
    const text = Buffer.concat(chunks)
      .subarray(0, maxBytes)
      .toString('utf8')
      .replace(/\uFFFD$/, '');
    return { text, ended };
  } finally {
    signal?.removeEventListener('abort', onAbort);
    timer.abort();
    firstByte.abort();
    stdin.removeAllListeners('data');
    stdin.on('error', () => undefined);
    stdin.pause();
    stdin.destroy();
  }
}

/** The prompt on standard input. @throws {TradeAgentError} `usage` where nothing usable came */
export function promptFrom({ text, ended }: StdinText): string {
  const prompt = text.trim();
  // Half a prompt can ask for another order than the whole one.
  if (ended === 'cut') {
    throw new TradeAgentError(
      'usage',
      `the prompt on standard input is longer than ${MOST_PROMPT / 1024} KiB`,
      { hint: 'Give what is long as context: trade-agent run "your question" < file' },
    );
  }
  if (prompt !== '') return prompt;
  throw new TradeAgentError('usage', 'standard input held no prompt', {
    hint: 'Pipe it in: echo "what do I own" | trade-agent run -',
  });
}
