import { EventEmitter } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { expect } from 'vitest';
import { runCommandLine } from '../../../src/cli/program.ts';
import { createInterruption } from '../../../src/cli/terminal/interruption.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { fakeTerminal } from '../../unit/cli/fake-terminal.ts';

/** Runs a command on a terminal, answering each question once it stands there. Returns what was written to stderr. */
export async function typing(
  env: NodeJS.ProcessEnv,
  args: string[],
  answers: [RegExp, string][],
  exitCode = 0,
): Promise<string> {
  const terminal = fakeTerminal({ env, tty: true });
  const signals = new EventEmitter();
  const interruption = createInterruption({
    on: (event, listener) => signals.on(event, listener),
    off: (event, listener) => signals.off(event, listener),
    exit: () => undefined,
    stdout: terminal.io.stdout,
    stderr: terminal.io.stderr,
  });
  let asked = 0;
  terminal.io.stderr.on('data', () => {
    const [question, answer] = answers[asked] ?? [];
    if (question?.test(stripVTControlCharacters(terminal.stderr()))) {
      asked += 1;
      terminal.stdin.write(`${answer}\r`);
    }
  });
  const cli = { io: terminal.io, env, clock: systemClock, fetch, interruption, exitCode: 0 };
  expect(await runCommandLine(args, cli)).toBe(exitCode);
  interruption.dispose();
  expect(asked).toBe(answers.length);
  return terminal.stderr();
}
