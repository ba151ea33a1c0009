import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withProcessLock } from '../../../src/machine/process-lock.ts';
import { asHere } from '../../shipped/modules.ts';

let folder: string;
let file: string;
const children = new Set<ChildProcess>();
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-lock-'));
  file = join(folder, 'some.lock');
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
  rmSync(folder, { recursive: true, force: true });
});

const module = JSON.stringify(new URL('../../../src/machine/process-lock.ts', import.meta.url).href);

/** Another process that takes the lock, says so, and holds it until it is ended; or says why it can't. */
async function other(waitMs: number): Promise<{ child: ChildProcess; says: string }> {
  const program = `import(${module}).then(({ withProcessLock }) =>
    withProcessLock(${JSON.stringify(file)}, { waitMs: ${waitMs} }, async () => {
      process.stdout.write('held');
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    }).catch(({ code }) => process.stdout.write(code)))`;
  const child = spawn(process.execPath, [...asHere, '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  const [says] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, says: says.toString() };
}

const take = (waitMs: number, signal?: AbortSignal) => withProcessLock(file, { waitMs, signal }, async () => 'taken');

describe('a lock between processes', () => {
  it('ends with the process that holds it, at once', async () => {
    const { child, says } = await other(5000);
    expect(says).toBe('held');
    await expect(take(0)).rejects.toMatchObject({ code: 'busy' });
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    expect(await take(0)).toBe('taken');
  });

  it('is kept by a process that stands still: it may go on', async () => {
    const { child } = await other(5000);
    child.kill('SIGSTOP');
    await expect(take(100)).rejects.toMatchObject({ code: 'busy' });
  });

  it('is not lost because somebody else in the process tried for it', async () => {
    await withProcessLock(file, { waitMs: 0 }, async () => {
      await expect(take(0)).rejects.toMatchObject({ code: 'busy' });
      expect((await other(0)).says).toBe('busy');
    });
    expect(await take(0)).toBe('taken');
  });

  it('is given to each of many in turn', async () => {
    let inside = 0;
    const work = async () => {
      inside += 1;
      await new Promise((resolve) => setImmediate(resolve));
      expect(inside).toBe(1);
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 20 }, () => withProcessLock(file, { waitMs: 20_000 }, work)));
  });

  it('is waited for until the caller wants no more, with its own reason', async () => {
    await withProcessLock(file, { waitMs: 0 }, async () => {
      const stop = new AbortController();
      const waiting = take(60_000, stop.signal);
      stop.abort(new Error('enough'));
      await expect(waiting).rejects.toThrow('enough');
    });
  });

  it('is a file of its owner’s alone', async () => {
    const umask = process.umask(0);
    try {
      await take(0);
    } finally {
      process.umask(umask);
    }
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});
