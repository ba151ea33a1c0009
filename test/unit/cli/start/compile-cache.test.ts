import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { compileCacheFolder, ensurePrivateCacheFolder } from '../../../../src/cli/start/compile-cache.ts';
import { folderOfTest } from '../../../folders.ts';

describe('the folder of compiled code', () => {
  it.each([
    [{}, 'linux', '/home/a/.cache/trade-agent/compiled'],
    [{ XDG_CACHE_HOME: '/var/a' }, 'linux', '/var/a/trade-agent/compiled'],
    [{}, 'darwin', '/home/a/Library/Caches/trade-agent/compiled'],
    [{ LOCALAPPDATA: '/local' }, 'win32', '/local/trade-agent/compiled'],
    [{}, 'win32', '/home/a/AppData/Local/trade-agent/compiled'],
  ] as const)('with %j on %s is %s', (env, platform, folder) => {
    expect(compileCacheFolder(env, platform, '/home/a')).toBe(folder);
  });
});

describe('a folder for compiled code', () => {
  let parent: string;
  beforeEach(() => {
    parent = folderOfTest();
  });

  it('is made for its owner alone', () => {
    const folder = join(parent, 'a', 'b');
    expect(ensurePrivateCacheFolder(folder)).toBe(true);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it.each([0o770, 0o707, 0o777])('is not used when others may write to it (%o)', (mode) => {
    chmodSync(parent, mode);
    expect(ensurePrivateCacheFolder(parent)).toBe(false);
  });

  it('is done without when it cannot be made', () => {
    const file = join(parent, 'file');
    writeFileSync(file, '');
    expect(ensurePrivateCacheFolder(join(file, 'folder'))).toBe(false);
  });
});
