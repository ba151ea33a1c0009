import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { noticeChannelKindNames } from '../../../src/config/notice-channels.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const text = readFileSync(`${root}/docs/guide/NOTICES.md`, 'utf8');
const [, table = ''] = /^## Each way, at a glance$([\s\S]*?)^## /m.exec(text) ?? [];
const rows = [...table.matchAll(/^\| (.+) \|$/gm)].map(([, row = '']) => row.split(' | ')).slice(1);

it('docs/guide/NOTICES.md says of each way when it is used, what is in it and what is not', () => {
  expect(rows.length).toBeGreaterThanOrEqual(8);
  for (const row of rows) {
    expect(row, row[0]).toHaveLength(6);
    expect(
      row.filter((cell) => cell.trim() === ''),
      row[0],
    ).toEqual([]);
  }
});

it('docs/guide/NOTICES.md has a row for each kind of channel', () => {
  const named = rows.map(([way = '']) => /^`(\w+)`/.exec(way)?.[1]);
  expect(noticeChannelKindNames.filter((kind) => !named.includes(kind))).toEqual([]);
});

it.each(rows.map((row) => [row[0], row[5] ?? ''] as const))('%s names a test that is there', (_, shown) => {
  const tests = [...shown.matchAll(/`(test\/[\w./-]+)`/g)].map(([, file = '']) => file);
  expect(tests.filter((file) => file.endsWith('.test.ts')).length).toBeGreaterThan(0);
  for (const file of tests) expect(existsSync(`${root}/${file}`), file).toBe(true);
});
