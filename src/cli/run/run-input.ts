import type { RunInput } from '../../app/run.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { defined } from '../../values/defined.ts';
import type { Context } from '../context/context.ts';
import { findPipeWriters } from '../terminal/pipe-writers.ts';
import {
  FIRST_BYTE_TIMEOUT_MS,
  MAX_CONTEXT_BYTES,
  MAX_PROMPT_BYTES,
  readStdin,
  type StdinText,
  toPrompt,
} from '../terminal/stdin-context.ts';

export interface RunRequest {
  /** `-` means standard input. If undefined, standard input is read unless it is a terminal. */
  readonly prompt: string | undefined;
  readonly thread?: string | undefined;
}

/**
 * Starts reading standard input while the run is being prepared. Waits for a pipe's input until `--timeout`, but only
 * briefly if no other process can write to the pipe.
 * @returns a function that waits for the prompt and its context
 * @throws {TradeAgentError} `usage` if there is no prompt
 */
export function readRunInput(context: Context, { prompt, thread }: RunRequest): () => Promise<RunInput> {
  const fromStdin = prompt === '-' || (prompt === undefined && !context.io.stdinIsTty);
  if (!fromStdin && (prompt ?? '').trim() === '') throw noPromptError();
  const reading = readInput(context, fromStdin ? MAX_PROMPT_BYTES : MAX_CONTEXT_BYTES, prompt);
  // The caller reports a failure when it awaits this promise. Until then, a rejection must not count as unhandled.
  reading.catch(() => undefined);
  const inThread = defined({ thread });
  return async () => {
    const found = await reading;
    if (fromStdin) {
      if (prompt === undefined && found.text.trim() === '') throw noPromptError();
      return { prompt: toPrompt(found), ...inThread };
    }
    if (found.ended === 'cut') {
      context.io.talk(`standard input is longer than ${MAX_CONTEXT_BYTES / 1024} KiB; the rest is ignored`);
    }
    return {
      prompt: prompt ?? '',
      ...inThread,
      ...(found.text.trim() === '' ? {} : { context: found.text }),
    };
  };
}

/** Reads standard input. If the prompt is `-`, always waits for the end of the input. */
function readInput({ io, clock, signal }: Context, maxBytes: number, prompt: string | undefined): Promise<StdinText> {
  const keepWaiting = (came: boolean) => {
    if (came || prompt === '-' || findPipeWriters() === 'beside') {
      io.talk('waiting for standard input to end; use "< /dev/null" for no input, --timeout for a limit');
      return true;
    }
    if (prompt !== undefined) {
      io.talk('no data arrived on standard input; continuing without it. To avoid this, use "< /dev/null".');
    }
    return false;
  };
  return readStdin(io.stdin, { firstByteMs: FIRST_BYTE_TIMEOUT_MS, keepWaiting, maxBytes }, { clock, signal });
}

function noPromptError(): TradeAgentError {
  return new TradeAgentError('usage', 'there is no prompt, and the chat needs a terminal', {
    hint: "For example: trade-agent run 'what do I own', or pipe the prompt in.",
  });
}
