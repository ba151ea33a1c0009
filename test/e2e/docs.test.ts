import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, type World } from './world.ts';

/** A command as a document shows it, with the exit code its comment names (0 where it names none). */
interface Shown {
  readonly line: string;
  readonly args: string[];
  readonly exit: number;
}

/** The `trade-agent` commands of a document's `sh` blocks, in order. */
function commands(document: string): Shown[] {
  const text = readFileSync(new URL(`../../${document}`, import.meta.url), 'utf8');
  const lines = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) => block.split('\n'));
  return lines
    .filter((line) => line.startsWith('trade-agent '))
    .map((line) => {
      const [command = '', comment = ''] = line.split(/\s+# /);
      const words = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
      return { line, args: words.slice(1), exit: Number(/exit (\d+)/.exec(comment)?.[1] ?? 0) };
    });
}

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

describe('docs/CLI.md', () => {
  const shown = commands('docs/CLI.md');

  it('shows commands', () => expect(shown.length).toBeGreaterThan(15));

  it.each(shown)('$line', async ({ args, exit }) => {
    if (args[0] === 'login') return world.login();
    const { code, stdout, stderr } = await world.cli(args);
    expect(code, stdout + stderr).toBe(exit);
  });
});
