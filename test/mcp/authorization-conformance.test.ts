import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pairByHttp } from '../integration/home/http-browser.ts';
import { letIn, MCP, register } from '../integration/home/public-client.ts';
import { startIdentityProvider, type World } from '../integration/sandbox/identity-provider-fixture.ts';

const suite = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
);
/** The suite takes no free port by itself; the client may be answered at any. */
const PORT = 39_123;

let world: World;
beforeAll(async () => {
  world = await startIdentityProvider();
});
afterAll(() => world?.close());

it("the home's provider passes the conformance suite of an authorization server", {
  timeout: 60_000,
}, async () => {
  const { browser } = await pairByHttp((await world.phone.pairing('alice')).url);
  const { body } = await register(world.issuer);
  const options = { url: world.issuer, 'client-id': body.client_id, resource: MCP, port: String(PORT) };
  const run = spawn(process.execPath, [
    suite,
    'authorization',
    ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
  ]);
  let said = '';
  const visited = new Set<string>();
  const hear = (chunk: Buffer) => {
    said += chunk;
    // It waits for a person, who is this.
    for (const [, url = ''] of said.matchAll(/(http:\/\/localhost:\d+\/authorize\?\S+)\s/g)) {
      if (visited.has(url)) continue;
      visited.add(url);
      void letIn(browser, new URL(url)).then((back) => fetch(back));
    }
  };
  run.stdout.on('data', hear);
  run.stderr.on('data', hear);
  const code = await new Promise((ended) => run.on('exit', ended));
  expect([code, said]).toEqual([0, expect.stringContaining('Total: 3 passed, 0 failed')]);
});
