import { PassThrough } from 'node:stream';
import { createIo, type InputStream, type Io, type OutputStream } from '../../../src/cli/terminal/io.ts';

/** A terminal made of pipes: what was written can be read, and what is typed can be sent. */
export interface FakeTerminal {
  readonly io: Io;
  readonly stdin: PassThrough & InputStream;
  readonly stdout: () => string;
  readonly stderr: () => string;
}

export function fakeTerminal(
  options: { tty?: boolean; columns?: number; env?: NodeJS.ProcessEnv; noColor?: boolean } = {},
): FakeTerminal {
  const { tty = false, columns = 80, env = {}, noColor = false } = options;
  const stdin = Object.assign(new PassThrough(), { isTTY: tty });
  const stdout = capture(tty, columns);
  const stderr = capture(tty, columns);
  return {
    io: createIo({ stdin, stdout: stdout.stream, stderr: stderr.stream, env, noColor, platform: 'linux' }),
    stdin,
    stdout: stdout.text,
    stderr: stderr.text,
  };
}

function capture(tty: boolean, columns: number): { stream: OutputStream; text: () => string } {
  let text = '';
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
  });
  return { stream: Object.assign(stream, { isTTY: tty, columns }), text: () => text };
}
