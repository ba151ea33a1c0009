import { expect, it } from 'vitest';
import { failpoints } from '../../crash/failpoints.ts';
import { programSources } from './sources.ts';

it('every failpoint in the sources has its line in the table of the crash tests, and no line is left over', () => {
  const passed = programSources().flatMap(({ text }) =>
    [...text.matchAll(/\bfailpoint\((?:[^()']*\? )?'([^']+)'(?: : '([^']+)')?\)/g)].flatMap(([, ...names]) => names),
  );
  const names = new Set(passed.filter((name) => name !== undefined));
  expect([...names].toSorted()).toEqual(Object.keys(failpoints).toSorted());
});
