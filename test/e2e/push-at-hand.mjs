// Preloaded (NODE_OPTIONS=--import) into a home of a test's world: the push service at https://push.example.com is the
// one on loopback that PUSH_AT_HAND names. The program as it is shipped calls no push service on its own machine.
import promises from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';

const ORIGIN = 'https://push.example.com';
const { lookup } = promises;
promises.lookup = async (host, ...rest) =>
  // One that counts as outside, as those that are kept for documentation don't; nothing is sent there.
  host === new URL(ORIGIN).hostname ? [{ address: '8.8.8.8', family: 4 }] : lookup(host, ...rest);
syncBuiltinESMExports();

const { fetch } = globalThis;
globalThis.fetch = (input, init) => {
  const url = new URL(input instanceof Request ? input.url : String(input));
  if (url.origin !== ORIGIN) return fetch(input, init);
  return fetch(new URL(url.pathname, process.env.PUSH_AT_HAND), init);
};
