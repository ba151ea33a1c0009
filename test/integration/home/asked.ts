import { PassThrough } from 'node:stream';
import type { Context } from '../../../src/cli/context/context.ts';
import { createIo } from '../../../src/cli/terminal/io.ts';
import { app } from './home-folder.ts';

/**
 * Whoever sits at the terminal, or nobody, as a command sees it.
 * @param answers what they type, each where a question ends so; without any, nobody can be asked
 */
export function asked(answers?: readonly (readonly [question: RegExp, answer: string])[]) {
  const [stdin, stderr] = [new PassThrough(), new PassThrough()];
  const left = [...(answers ?? [])];
  let said = '';
  let since = '';
  stderr.on('data', (chunk: Buffer) => {
    said += chunk;
    since += chunk;
    const [question, answer] = left[0] ?? [];
    if (question?.test(since) !== true) return;
    left.shift();
    since = '';
    // Only then has whoever asked begun to read.
    setImmediate(() => stdin.write(`${answer}\n`));
  });
  const isTTY = answers !== undefined;
  const io = createIo({
    stdin: Object.assign(stdin, { isTTY, setRawMode: () => stdin }),
    stdout: Object.assign(new PassThrough(), { isTTY }),
    stderr: Object.assign(stderr, { isTTY }),
    env: {},
  });
  return {
    context: { ...app, io } as unknown as Context,
    /** Everything that was said to them. */
    said: () => said,
  };
}
