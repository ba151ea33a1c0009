import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { checkRecipient } from '../../src/trading/message.ts';
import { asHere, SHIPPED } from './modules.ts';

const source = new URL('../../src/trading/message.ts', import.meta.url).href;

it('these tests import what is shipped', () => {
  expect(() => checkRecipient('slack', '')).toThrow(
    expect.objectContaining({ stack: expect.stringContaining(`/${SHIPPED}/`) }),
  );
});

it('a process that they start from the source does too', () => {
  const code = `import(${JSON.stringify(source)}).then(({ checkRecipient }) => checkRecipient('slack', ''))
    .catch(({ stack }) => console.log(stack))`;
  const said = execFileSync(process.execPath, [...asHere, '-e', code], { encoding: 'utf8', timeout: 30_000 });
  expect(said).toContain(`/${SHIPPED}/`);
});
