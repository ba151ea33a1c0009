// A server or a worker in a process of its own, as its command runs it. Forked by agents.ts.
import { ServerLog } from '../../src/app/gateway/server-log.ts';
import { serveServer } from '../../src/app/server/serve-server.ts';
import { serveWorker } from '../../src/app/server/serve-worker.ts';
import { systemClock } from '../../src/machine/clock.ts';

/** What one is told when it is started. */
export interface AgentLoad {
  readonly role: 'server' | 'worker';
  /** The folder of all, and the file that says what they serve. */
  readonly places: { readonly home: string; readonly config: string };
  /** Runs that a worker drives at once. */
  readonly concurrency: number;
}

const { role, places, concurrency } = JSON.parse(process.argv[2] ?? '') as AgentLoad;
const stop = new AbortController();
process.on('message', () => stop.abort());
// Whoever started it is gone, and would never end it.
process.on('disconnect', () => process.exit());

const log = new ServerLog({ process: role, format: 'text', write: () => undefined, clock: systemClock });
const app = { clock: systemClock, signal: stop.signal, log };
const shared = { ...places, env: process.env };
if (role === 'server') {
  const at = { host: '127.0.0.1', port: 0 };
  await serveServer(app, { ...shared, ...at, ready: async ({ url }) => void process.send?.(url) });
} else {
  await serveWorker(app, { ...shared, concurrency, ready: async () => void process.send?.('ready') });
}
process.exit();
