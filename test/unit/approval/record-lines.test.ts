import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readAuditLines } from '../../../src/approval/audit-chain.ts';
import { seededRandom } from '../../fixtures/seeded-random.ts';

function fileOf(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-lines-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'audit.jsonl');
  writeFileSync(file, text);
  return file;
}
async function all(file: string, bytes: number, named?: readonly string[]): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of readAuditLines(file, bytes, named)) lines.push(line);
  return lines;
}

/** Longer than what is read at once: short lines, empty ones, and one that fills it several times by itself. */
function longRecord(): string[] {
  const random = seededRandom(7);
  const lines = Array.from({ length: 6_000 }, (_, at) =>
    at % 50 === 0 ? '' : `{"é":"pr_${Math.floor(random() * 500)}","${'x'.repeat(random() * 400)}":"end"}`,
  );
  lines.splice(3_000, 0, `{"pr_1":"${'y'.repeat(1_300_000)}","z":"last"}`);
  return lines;
}

it('are those that stand there, however long', async () => {
  const lines = longRecord();
  const file = fileOf(lines.map((line) => `${line}\n`).join(''));
  expect(await all(file, statSync(file).size)).toEqual(lines);
});

it.each([
  ['one', ['"pr_17"']],
  ['several, one line having two', ['"pr_17"', '"pr_4', 'pr_1"']],
  ['the first byte of a line, and its last', ['{"é":"pr_7"', 'last"}']],
  ['what none has', ['pr_500']],
])('that have %s in their text are just these, in order', async (_, named) => {
  const lines = longRecord();
  const file = fileOf(lines.map((line) => `${line}\n`).join(''));
  const expected = lines.filter((line) => named.some((name) => line.includes(name)));
  expect(await all(file, statSync(file).size, named)).toEqual(expected);
});

it('end where the record did when it was asked, also within one, and where the file is shorter by now', async () => {
  const file = fileOf('pr_1 a\npr_1 b\npr_1 c');
  expect(await all(file, 12)).toEqual(['pr_1 a', 'pr_1 ']);
  expect(await all(file, 12, ['pr_1'])).toEqual(['pr_1 a', 'pr_1 ']);
  expect(await all(file, 1_000_000, ['c'])).toEqual(['pr_1 c']);
  expect(await all(file, 0, ['c'])).toEqual([]);
});
