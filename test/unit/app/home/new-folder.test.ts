import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createHomeFolder } from '../../../../src/app/home/home-files.ts';

let place: string;
let folder: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'trade-agent-new-'));
  folder = join(place, 'home');
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const fill = async (part: string) => {
  writeFileSync(join(part, 'home.yaml'), 'x', { mode: 0o600 });
  return 'made';
};
const all = () => readdirSync(place, { recursive: true }).sort();

it('has its name with everything in it, and is its owner’s alone', async () => {
  let seen: string[] = [];
  await createHomeFolder(folder, async (part) => {
    seen = readdirSync(place);
    return await fill(part);
  });
  expect(seen).toEqual(['home.part']);
  expect(all()).toEqual(['home', 'home/home.lock', 'home/home.yaml']);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

it('leaves nothing where making it fails', async () => {
  const failing = createHomeFolder(folder, async (part) => {
    await fill(part);
    throw new Error('no room');
  });
  await expect(failing).rejects.toThrow('no room');
  expect(all()).toEqual([]);
});

it('begins again over what a killed one left', async () => {
  mkdirSync(join(part(), 'deep'), { recursive: true, mode: 0o700 });
  chmodSync(part(), 0o700);
  writeFileSync(join(part(), 'seal.key'), 'of the one before');
  await createHomeFolder(folder, fill);
  expect(all()).toEqual(['home', 'home/home.lock', 'home/home.yaml']);
});

it('is made by one at a time', async () => {
  let second: unknown;
  await createHomeFolder(folder, async (part) => {
    second = await createHomeFolder(folder, fill).catch((error) => error.code);
    return await fill(part);
  });
  expect(second).toBe('busy');
  expect(all()).toEqual(['home', 'home/home.lock', 'home/home.yaml']);
});

it('takes the place of an empty one', async () => {
  mkdirSync(folder, { mode: 0o700 });
  await createHomeFolder(folder, fill);
  expect(existsSync(join(folder, 'home.yaml'))).toBe(true);
});

const holding = (name: string) => {
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(join(folder, name), '');
};
const part = () => join(place, 'home.part');
it.each([
  ['a folder that others may enter', () => mkdirSync(folder, { mode: 0o755 }), 'other users can access it'],
  ['a symbolic link', () => symlinkSync(place, folder), 'it is a symbolic link'],
  ['a link that leads nowhere', () => symlinkSync('/nowhere/at/all', folder), 'it is a symbolic link'],
  ['a file', () => writeFileSync(folder, ''), 'it is not a folder'],
  ['a folder with somebody else’s key', () => holding('seal.key'), 'it contains other files (seal.key)'],
  ['a home', () => holding('home.yaml'), 'a home already exists'],
  ['a half made one open to others', () => mkdirSync(part(), { mode: 0o755 }), 'other users can access it'],
  ['a half made one that is a link', () => symlinkSync(place, part()), 'it is a symbolic link'],
])('%s is refused, and nothing is written', async (_, prepare, says) => {
  prepare();
  const before = all();
  let worked = false;
  const made = createHomeFolder(folder, async (part) => {
    worked = true;
    return await fill(part);
  });
  await expect(made).rejects.toThrow(says);
  expect([all(), worked]).toEqual([before, false]);
});

it.skipIf(process.getuid?.() !== 0)('a folder of another user is refused', async () => {
  mkdirSync(folder, { mode: 0o700 });
  const { chownSync } = await import('node:fs');
  chownSync(folder, 12_345, 12_345);
  await expect(createHomeFolder(folder, fill)).rejects.toThrow('it belongs to another user');
});
