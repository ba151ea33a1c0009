import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import type { Io } from './io.ts';
import { readStdin } from './stdin-context.ts';

/** Limits for reading a secret. A pasted or piped secret stays well below them. */
const STDIN_LIMITS = { firstByteMs: 120_000, endMs: 5000, maxBytes: 4096 };

interface SecretSource {
  readonly io: Io;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Reads a secret from the terminal without echo, or from standard input. A secret can't be passed as an argument,
 * because every process on the machine could see it.
 * @throws {TradeAgentError} `usage` if there is no secret
 */
export async function readSecret(source: SecretSource, question: string): Promise<string> {
  const { io, signal } = source;
  const text = io.interactive ? await promptForSecret(io, question, signal) : await readPipedSecret(source);
  if (text !== undefined && text !== '') return text;
  throw new TradeAgentError('usage', 'no secret was given', {
    hint: 'Type the secret at the prompt, or pipe it in: command < file. Arguments are not accepted.',
  });
}

async function readPipedSecret({ io, clock, signal }: SecretSource): Promise<string | undefined> {
  const read = await readStdin(io.stdin, STDIN_LIMITS, { clock, signal });
  return read.ended === 'end' ? read.text.replace(/\r?\n$/, '') : undefined;
}

export async function promptForSecret(io: Io, question: string, signal: AbortSignal): Promise<string> {
  io.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: io.stdin, output: nowhere, terminal: true });
  // In raw mode, readline handles Ctrl-C itself and would only close the prompt.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    return (await Promise.race([lines.question('', { signal }), closed])).trim();
  } finally {
    lines.close();
    io.talk('');
  }
}
