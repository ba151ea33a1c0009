import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readDescriptor, writePrivateFile } from '../../../src/machine/private-file.ts';
import { folderOfTest } from '../../folders.ts';

let folder: string;
beforeEach(() => {
  folder = folderOfTest();
});

describe('a private file', () => {
  it('stays what it was where the new one does not fit on the disk', () => {
    const path = join(folder, 'credentials');
    writePrivateFile(path, 'old');
    const module = JSON.stringify(new URL('../../../src/machine/private-file.ts', import.meta.url).href);
    const program = `import(${module}).then(({ writePrivateFile }) => {
      writePrivateFile(${JSON.stringify(path)}, 'x'.repeat(5000));
    })`;
    // As on a disk with 2 KiB left: the first write takes what fits, the next one fails.
    const { status, stderr } = spawnSync('bash', ['-c', 'ulimit -f 2; exec "$0" -e "$1"', process.execPath, program], {
      encoding: 'utf8',
    });
    expect(stderr).toContain('EFBIG');
    expect(status).not.toBe(0);
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['credentials']);
  });
});

describe('an open descriptor', () => {
  const unusable = (why: string) => new Error(why);

  /** A pipe, its reading end, and what closes each. */
  function pipe() {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return { reading, writing: openSync(path, constants.O_WRONLY) };
  }

  it('that is a pipe is read until its other end is closed', async () => {
    const { reading, writing } = pipe();
    const read = readDescriptor(reading, 100, unusable);
    writeSync(writing, 'first, ');
    // Whoever writes takes its time.
    await new Promise((resolve) => setImmediate(resolve));
    writeSync(writing, 'second');
    closeSync(writing);
    expect(await read).toBe('first, second');
  });

  it('that is a pipe nobody closes holds up neither the process nor whoever stops waiting', async () => {
    const { reading, writing } = pipe();
    try {
      const stop = new AbortController();
      const read = readDescriptor(reading, 100, unusable, stop.signal);
      stop.abort(new Error('enough'));
      await expect(read).rejects.toThrow('enough');
    } finally {
      closeSync(writing);
    }
  });

  it('that holds too much is refused', async () => {
    const { reading, writing } = pipe();
    const read = readDescriptor(reading, 10, unusable);
    writeSync(writing, 'x'.repeat(11));
    closeSync(writing);
    await expect(read).rejects.toThrow('it is too long');
  });

  it('that is neither a file nor a pipe is refused, whatever comes out of it without end', async () => {
    const handle = openSync('/dev/zero', 'r');
    try {
      await expect(readDescriptor(handle, 10, unusable)).rejects.toThrow('neither a file nor a pipe');
    } finally {
      closeSync(handle);
    }
  });
});
