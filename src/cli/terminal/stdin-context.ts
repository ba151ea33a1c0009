import { TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import type { InputStream } from './io.ts';

interface StdinLimits {
  /** Maximum wait for the first byte before `keepWaiting` is called, in milliseconds. Default: unlimited. */
  readonly firstByteMs?: number;
  /** Called after `firstByteMs`. Returns whether to keep waiting (default: only if any bytes have arrived). */
  readonly keepWaiting?: (hasBytes: boolean) => boolean;
  /** Maximum time from the first byte to the end of the input, in milliseconds. Default: unlimited. */
  readonly endMs?: number;
  readonly maxBytes: number;
}

/** Milliseconds to wait for input before a message mentions the wait. Shorter waits go unnoticed. */
export const FIRST_BYTE_TIMEOUT_MS = 500;
export const MAX_CONTEXT_BYTES = 256 * 1024;
export const MAX_PROMPT_BYTES = 64 * 1024;

export interface StdinText {
  readonly text: string;
  /** `cut`: the text was longer than `maxBytes`. `open`: the wait ended before the writer closed the pipe. */
  readonly ended: 'end' | 'cut' | 'open';
}

/**
 * Reads standard input unless it is a terminal, and then releases it, so that an open pipe can't keep the process
 * alive.
 * @throws `signal.reason` if the signal aborts
 */
export async function readStdin(
  stdin: InputStream,
  { firstByteMs, keepWaiting, endMs, maxBytes }: StdinLimits,
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
          const goesOn = keepWaiting?.(size > 0) ?? size > 0;
          if (!goesOn) resolve('open');
        })
        .catch(() => undefined);
    });
    // Drops a character that was cut at the limit, which was decoded as U+FFFD.
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

/** Returns standard input as the prompt. @throws {TradeAgentError} `usage` if it is empty or too long */
export function toPrompt({ text, ended }: StdinText): string {
  const prompt = text.trim();
  // Rejects an incomplete prompt, because it could ask for a different order than the complete one.
  if (ended === 'cut') {
    throw new TradeAgentError('usage', `the prompt on standard input is longer than ${MAX_PROMPT_BYTES / 1024} KiB`, {
      hint: 'Pass long text as context: trade-agent run "your question" < file',
    });
  }
  if (prompt !== '') return prompt;
  throw new TradeAgentError('usage', 'standard input has no prompt', {
    hint: 'Pipe the prompt in: echo "what do I own" | trade-agent run -',
  });
}
