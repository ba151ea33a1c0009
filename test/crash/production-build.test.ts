import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createWorld } from '../e2e/world.ts';
import { failpoints } from './failpoints.ts';

const dist = new URL('../../dist/', import.meta.url).pathname;
const testBuild = new URL('../../dist-failpoints/', import.meta.url).pathname;

/** Quoted as the program would have to: `'execute.sent'`, but not `execute.sent` as an expression. */
const words = [
  'TRADE_AGENT_FAILPOINT',
  'TRADE_AGENT_BUILD',
  ...Object.keys(failpoints).flatMap((name) => [`"${name}"`, `'${name}'`, `\`${name}\``]),
];

function found(folder: string): string[] {
  const texts = readdirSync(folder)
    .filter((file) => /\.c?js$/.test(file))
    .map((file) => readFileSync(join(folder, file), 'utf8'));
  return words.filter((word) => texts.some((text) => text.includes(word)));
}

it('the program that is shipped holds no failpoint, and no name of the variables', () => {
  expect(found(dist)).toEqual([]);
  // The same search in the build for tests, so that it is known to find them.
  const names = Object.keys(failpoints);
  expect(found(testBuild).length).toBeGreaterThanOrEqual(names.length + 1);
});

it('the program that is shipped does not heed the variables', async () => {
  const world = await createWorld();
  try {
    await world.login();
    const { code, stderr } = await world.cli(['run', 'buy 1 F', '--approval', 'detach'], {
      env: { TRADE_AGENT_FAILPOINT: 'propose.noted=kill', TRADE_AGENT_BUILD: 'test' },
    });
    expect(code, stderr).toBe(5);
  } finally {
    await world.close();
  }
});
