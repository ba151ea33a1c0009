import { expect, it } from 'vitest';
import { suiteCliWorld } from './cli-world.ts';

const world = suiteCliWorld({ login: false });

it.each<[string, string[], RegExp]>([
  ['a certificate without its key', ['--tls-cert', 'cert.pem'], /--tls-key is missing/],
  ['a key without its certificate', ['--tls-key', 'key.pem'], /--tls-cert is missing/],
  ['a proxy by name', ['--proxy', 'proxy.example'], /"proxy\.example" is not a valid proxy address/],
  ['everybody as a proxy', ['--proxy', '10.0.0.1', '--proxy', '0.0.0.0/0'], /includes every address, not just a proxy/],
])('gateway with %s ends with 2, and says why', async (_, args, message) => {
  const { exitCode, stderr } = await world.run(['gateway', ...args]);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(message);
});
