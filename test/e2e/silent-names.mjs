// Preloaded (NODE_OPTIONS=--import) into a home of a test's world, as if a stranger ran the name server of `nobody-home.dev`
// and had it never answer. NAME_SERVER is that server, on loopback; the file
// SYSTEM_LOOKUPS gets the names that the system's resolver is asked for. What Node does with that resolver is done here:
// two lookups run at a time for the whole process, and one of that domain takes ten seconds to fail.
import dns from 'node:dns';
import promises from 'node:dns/promises';
import { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const THREADS = 2;
const FAILS_AFTER_MS = 10_000;
const SILENT = '.nobody-home.dev';

const { lookup } = dns;
const waiting = [];
let running = 0;
const next = () => {
  if (running === THREADS) return;
  const work = waiting.shift();
  if (work === undefined) return;
  running += 1;
  work(() => {
    running -= 1;
    next();
  });
};
dns.lookup = (host, ...rest) => {
  const done = rest.pop();
  waiting.push((end) => {
    const over = (...answer) => {
      end();
      done(...answer);
    };
    appendFileSync(process.env.SYSTEM_LOOKUPS, `${host}\n`);
    if (!host.endsWith(SILENT)) return lookup(host, ...rest, over);
    setTimeout(() => over(Object.assign(new Error('silent'), { code: 'EAI_AGAIN' })), FAILS_AFTER_MS).unref();
  });
  next();
};

const { Resolver } = promises;
promises.Resolver = class extends Resolver {
  constructor(options) {
    super(options);
    this.setServers([process.env.NAME_SERVER]);
  }
};
syncBuiltinESMExports();
