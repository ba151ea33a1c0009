import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { standardInput } from '../../../../src/cli/terminal/standard-input.ts';

let folder: string;
const open: number[] = [];
const descriptorOf = (file: string) => {
  const descriptor = openSync(file, 'r');
  open.push(descriptor);
  return descriptor;
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-stdin-'));
});
afterEach(() => {
  for (const descriptor of open.splice(0)) closeSync(descriptor);
  rmSync(folder, { recursive: true, force: true });
});

describe('standard input', () => {
  it.skipIf(process.platform === 'win32')('that is the null device is at its end, and not opened', async () => {
    const stdin = standardInput(descriptorOf(devNull));
    expect(stdin).not.toBe(process.stdin);
    expect(await text(stdin)).toBe('');
  });

  it('that is anything else is the process’s own', () => {
    const file = join(folder, 'context.txt');
    writeFileSync(file, 'news');
    expect(standardInput(descriptorOf(file))).toBe(process.stdin);
    if (process.platform !== 'win32') expect(standardInput(descriptorOf('/dev/zero'))).toBe(process.stdin);
  });

  it('that is closed is the process’s own', () => {
    expect(standardInput(999_999)).toBe(process.stdin);
  });
});
