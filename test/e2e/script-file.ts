import { readFileSync } from 'node:fs';

/**
 * A scenario of test/scripts/, written like a shell session:
 *
 *     # What it shows: the title.
 *     @login alice                      something done to the world (script-session.ts lists what)
 *     $ trade-agent whoami              a command line for bash
 *     > Alice…                          stdout has this; … stands for anything, <NAME> for a word kept as $NAME
 *     2> (nothing)                      stderr likewise
 *     # exit 4                          the exit code, 0 where none is named
 *     $& trade-agent phone              runs on in the background, once it has said what the next lines say
 */
export interface Scenario {
  readonly title: string;
  readonly steps: readonly Step[];
}

export type Step =
  | { readonly kind: 'act'; readonly line: number; readonly words: readonly string[] }
  | {
      readonly kind: 'command';
      readonly line: number;
      readonly command: string;
      readonly background: boolean;
      readonly exit: number;
      readonly expected: readonly Expectation[];
    };

export interface Expectation {
  readonly line: number;
  readonly stream: 'stdout' | 'stderr';
  /** Null: the stream is empty. */
  readonly pattern: RegExp | null;
  readonly names: readonly string[];
  readonly text: string;
}

export function readScenario(file: string): Scenario {
  const lines = readFileSync(file, 'utf8').split('\n');
  const steps: Step[] = [];
  for (const [index, text] of lines.entries()) {
    const line = index + 1;
    const last = steps.at(-1);
    const exit = /^# exit (\d+)$/.exec(text)?.[1];
    const expected = /^(2?)> ?(.*)$/.exec(text);
    const command = /^\$(&?) (.+)$/.exec(text);
    if (command !== null) {
      steps.push({
        ...{ kind: 'command', line, command: command[2] ?? '', background: command[1] === '&' },
        ...{ exit: 0, expected: [] },
      });
    } else if (text.startsWith('@')) {
      steps.push({ kind: 'act', line, words: text.slice(1).trim().split(' ') });
    } else if (last?.kind === 'command' && exit !== undefined) {
      steps[steps.length - 1] = { ...last, exit: Number(exit) };
    } else if (last?.kind === 'command' && expected !== null) {
      const stream = expected[1] === '2' ? 'stderr' : 'stdout';
      const expectation = expectationOf(expected[2] ?? '', stream, line);
      steps[steps.length - 1] = { ...last, expected: [...last.expected, expectation] };
    } else if (text.trim() !== '' && !text.startsWith('#')) {
      throw new Error(`${file}:${line}: what is "${text}"?`);
    }
  }
  return { title: (lines[0] ?? '').replace(/^# /, ''), steps };
}

function expectationOf(text: string, stream: 'stdout' | 'stderr', line: number): Expectation {
  if (text === '(nothing)') return { line, stream, pattern: null, names: [], text };
  const names: string[] = [];
  const source = text
    .split(/(…|<[A-Z]+>)/)
    .map((part) => {
      if (part === '…') return '.*?';
      const name = /^<([A-Z]+)>$/.exec(part)?.[1];
      if (name === undefined) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      names.push(name);
      return '([\\w.:/-]+)';
    })
    .join('');
  return { line, stream, pattern: new RegExp(source), names, text };
}
