import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, it } from 'vitest';
import { suiteWorld } from './suite-world.ts';

const world = suiteWorld({ login: false });

it.skipIf(process.platform !== 'linux')('login --open opens the page, with the code in its address', async () => {
  // The desktop's own command, which is handed the address.
  const bin = join(world.folder, 'bin');
  const opened = join(world.folder, 'opened');
  mkdirSync(bin);
  writeFileSync(
    join(bin, 'xdg-open'),
    `#!/bin/sh\nprintf %s "$1" > '${opened}.part'; mv '${opened}.part' '${opened}'\n`,
    {
      mode: 0o755,
    },
  );
  const login = world.start(['login', '--open'], {
    env: { PATH: [bin, process.env.PATH].join(delimiter) },
  });
  const [code] = await login.waitFor(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/);
  await expect.poll(() => existsSync(opened), { timeout: 10_000 }).toBe(true);
  const address = new URL(readFileSync(opened, 'utf8'));
  expect(address.origin).toBe(new URL(world.ready.issuer).origin);
  expect(address.searchParams.get('user_code')?.replace('-', '')).toBe(code.replace('-', ''));
  await world.phone.completeDevice('alice', code);
  const { code: exit, stderr } = await login.finished;
  expect(exit, stderr).toBe(0);
  expect(stderr).not.toContain('No browser');
});
