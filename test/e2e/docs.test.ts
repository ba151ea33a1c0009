import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { suiteWorld } from './suite-world.ts';
import type { Running } from './world.ts';

/** A command as a document shows it, with the exit code its comment names (0 where it names none). */
interface Shown {
  readonly line: string;
  readonly args: string[];
  readonly exit: number;
}

/** The `trade-agent` commands of a document's `sh` blocks, in order. */
function commands(document: string): Shown[] {
  const text = readFileSync(new URL(`../../${document}`, import.meta.url), 'utf8');
  const lines = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block.split('\n').map((line) => line.trim()),
  );
  return lines
    .filter((line) => line.startsWith('trade-agent '))
    .map((line) => {
      const [command = '', comment = ''] = line.split(/\s+# /);
      const words = [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
        ([, double, single, bare]) => double ?? single ?? bare ?? '',
      );
      return { line, args: words.slice(1), exit: Number(/exit (\d+)/.exec(comment)?.[1] ?? 0) };
    });
}

/** Where docs/guide/HOME.md has its home. */
const HOME_ADDRESS = 'http://localhost:4780';

const world = suiteWorld({ login: false });

describe('docs/reference/CLI.md', () => {
  const shown = commands('docs/reference/CLI.md');

  it('shows commands', () => expect(shown.length).toBeGreaterThan(15));

  it.each(shown)('$line', async ({ args, exit }) => {
    if (args[0] === 'login') return world.login();
    const { code, stdout, stderr } = await world.cli(args);
    expect(code, stdout + stderr).toBe(exit);
  });
});

describe('docs/guide/MANDATES.md', () => {
  const shown = commands('docs/guide/MANDATES.md');
  // One of its own: at the end of the other document trading is halted.
  const world = suiteWorld();

  it('shows commands', () => expect(shown.length).toBeGreaterThan(5));

  it.each(shown)('$line', async ({ args, exit }) => {
    // The one that the document begins with: a later one has taken its place by the last command.
    first ??= await listed();
    const until = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
    const given = args.map((word) => (word === 'M-x9K2aB7cD1' ? (first ?? word) : word.replace('2026-12-20', until)));
    const asks = exit === 0 && (args[1] === 'add' || (args[0] === 'run' && args[2] !== '--approval'));
    const [{ code, stdout, stderr }] = await Promise.all([
      world.cli(given),
      asks ? world.cli(['phone', '--decide', 'approve', '--once', '--timeout', '20s']) : undefined,
    ]);
    expect(code, stdout + stderr).toBe(exit);
  });
  let first: string | undefined;
  const listed = async () => {
    const { stdout } = await world.cli(['mandates', '--output', 'json']);
    return /"id":"(M-[^"]+)","state":"(?:active|suspended)"/.exec(stdout)?.[1];
  };
});

describe('docs/guide/HOME.md', () => {
  const shown = commands('docs/guide/HOME.md');
  let serving: Running | undefined;
  beforeAll(() => {
    const [alice] = world.seed.users;
    writeFileSync(join(world.folder, 'keys.txt'), `${alice?.broker_key.key_id}\n${alice?.broker_key.secret}\n`, {
      mode: 0o600,
    });
    writeFileSync(join(world.folder, 'pass.txt'), 'amber bison cedar delta ember', { mode: 0o600 });
  });
  afterAll(async () => {
    serving?.child.kill('SIGTERM');
    await serving?.finished;
  });

  it('shows commands', () => expect(shown.length).toBeGreaterThan(10));

  it.each(shown)('$line', async ({ args, exit }) => {
    // Its broker is not Alpaca.
    if (args[1] === 'init') args.push('--broker-url', world.ready.broker);
    if (args[1] === 'serve') {
      serving = world.start(args, { cwd: world.folder, endless: true });
      await serving.waitFor(new RegExp(`Home +${HOME_ADDRESS}`));
      return;
    }
    const { code, stdout, stderr } = await world.cli(args, { cwd: world.folder });
    expect(code, stdout + stderr).toBe(exit);
  });
});
