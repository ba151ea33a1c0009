import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

const make = () => mkdtempSync(join(tmpdir(), 'trade-agent-test-'));
const remove = (folder: string) => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });

/** A folder until the test ends. */
export function folderOfTest(): string {
  const folder = make();
  onTestFinished(() => remove(folder));
  return folder;
}

/** A folder until the test file, or the `describe` block that asks for it, ends. */
export function folderOfSuite(): string {
  const folder = make();
  afterAll(() => remove(folder));
  return folder;
}
