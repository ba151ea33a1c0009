import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { suiteWorld } from './suite-world.ts';

const world = suiteWorld({ login: false });

describe('a sandbox', () => {
  it('says which port is in use, and what to do', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const home = join(world.folder, 'second');
    try {
      const { code, stderr } = await world.cli(['sandbox', '--home', home, '--port', String(port)]);
      expect(code, stderr).toBe(2);
      expect(stderr).toMatch(new RegExp(`${port}[\\s\\S]*--port`));
    } finally {
      taken.close();
    }
  });

  it('is refused on the folder of another', async () => {
    const { code, stderr } = await world.cli(['sandbox', '--home', world.ready.home, '--port', '0']);
    expect(code, stderr).toBe(12);
    expect(stderr).toMatch(/another sandbox/);
  });
});
