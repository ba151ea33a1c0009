import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync, readFileSync, symlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  findExposureRisk,
  readDescriptor,
  readPrivateFile,
  writePrivateFile,
} from '../../../src/machine/private-file.ts';
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

describe('a file that only one user may read', () => {
  const uid = process.getuid?.() ?? 0;

  it.each<[string, { uid: number; mode: number }, string, boolean]>([
    ['its own', { uid, mode: 0o100600 }, '/srv/key', true],
    ['its own, readable by a group', { uid, mode: 0o100640 }, '/srv/key', false],
    ['another user’s', { uid: uid + 1, mode: 0o100600 }, '/srv/key', false],
    ['root’s credential for the service', { uid: 0, mode: 0o100440 }, '/run/credentials/gateway.service/key', true],
    ['root’s, readable by a group elsewhere', { uid: 0, mode: 0o100440 }, '/run/credentials/../key', false],
    ['a credential that everybody may read', { uid: 0, mode: 0o100444 }, '/run/credentials/gateway.service/key', false],
    ['a credential that a group may write', { uid: 0, mode: 0o100460 }, '/run/credentials/gateway.service/key', false],
    ['a credential of another user', { uid: uid + 1, mode: 0o100440 }, '/run/credentials/gateway.service/key', false],
  ])('is %s', (_, stat, file, isPrivate) => {
    expect(findExposureRisk(stat, file) === undefined).toBe(isPrivate);
  });
});

describe('a private file of a service', () => {
  const read = (name: string) => readPrivateFile(join(folder, 'gateway', name), 100, (why) => new Error(why));

  it('is the credential of its name where the folder has none', () => {
    // As in Kubernetes, where the folder of the files is a link that is replaced with all of them.
    const credentials = join(folder, 'credentials');
    writePrivateFile(join(credentials, '..version', 'key.json'), 'the key');
    symlinkSync('..version', join(credentials, '..data'));
    symlinkSync('..data/key.json', join(credentials, 'key.json'));
    expect(read('key.json')).toBeUndefined();
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv('CREDENTIALS_DIRECTORY', join(credentials, '..data'));
    expect(read('key.json')).toBe('the key');
    expect(read('seal.key')).toBeUndefined();
    writePrivateFile(join(folder, 'gateway', 'key.json'), 'the folder’s own');
    expect(read('key.json')).toBe('the folder’s own');
    vi.stubEnv('CREDENTIALS_DIRECTORY', credentials);
    expect(() => readPrivateFile('/nowhere/key.json', 100, (why) => new Error(why))).toThrow('symbolic link');
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
