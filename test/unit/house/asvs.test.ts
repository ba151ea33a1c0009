import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const text = readFileSync(`${root}/docs/develop/ASVS.md`, 'utf8');

const VERDICTS = ['met', 'in part', 'not met', 'not applicable'] as const;
const rows = [...text.matchAll(/^\| (\d+\.\d+\.\d+) \| [^|]+ \| ([^|]+) \| (.+) \|$/gm)].map(
  ([, id = '', verdict = '', why = '']) => ({ id, verdict, why }),
);
const notApplicable = [...text.matchAll(/^Not applicable: .*$/gm)].flatMap(([line]) =>
  [...line.matchAll(/\b\d+\.\d+\.\d+\b/g)].map(([id]) => ({ id, verdict: 'not applicable', why: line })),
);
rows.push(...notApplicable);

it('docs/develop/ASVS.md counts its rows as they are', () => {
  for (const verdict of VERDICTS) {
    const said = new RegExp(`^\\| ${verdict} \\| (\\d+) \\|`, 'm').exec(text)?.[1];
    expect([verdict, Number(said)]).toEqual([verdict, rows.filter((row) => row.verdict === verdict).length]);
  }
  expect(rows.filter(({ verdict }) => !VERDICTS.some((one) => one === verdict))).toEqual([]);
});

it('docs/develop/ASVS.md has each requirement once', () => {
  const ids = rows.map(({ id }) => id);
  expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
});

it('docs/develop/ASVS.md says what would close each that is not met, and of no other', () => {
  const [, list = ''] = /^## What is not met$([\s\S]*?)^## /m.exec(text) ?? [];
  const listed = [...list.matchAll(/^\| ((?:\d+\.\d+\.\d+(?:, )?)+) \|/gm)].flatMap(([, ids = '']) => ids.split(', '));
  const notMet = rows.filter(({ verdict }) => verdict === 'not met').map(({ id }) => id);
  expect(listed.toSorted()).toEqual(notMet.toSorted());
});

it('docs/develop/ASVS.md names a test or a file of what is met', () => {
  const unshown = rows.filter(({ verdict, why }) => verdict === 'met' && !/`[^`]+`|\]\(/.test(why));
  expect(unshown.map(({ id }) => id)).toEqual([]);
  const named = rows.flatMap(({ why }) => [...why.matchAll(/`((?:test|src)\/[\w./-]+\.ts)`/g)].map(([, file]) => file));
  expect(named.length).toBeGreaterThan(100);
  expect(named.filter((file) => !existsSync(`${root}/${file}`))).toEqual([]);
});
