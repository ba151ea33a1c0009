import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBrokerEntry } from '../../../src/app/home/brokers.ts';
import { initHome, type NewHome, verifyNewAccount } from '../../../src/app/home/init-home.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';

export const app = {
  clock: systemClock,
  fetch,
  env: {},
  signal: new AbortController().signal,
  tell: () => undefined,
};

/**
 * A place for homes, and a broker that takes key pairs; all thrown away at the end.
 * @param port of the home's address, `http://localhost:PORT`
 */
export async function homeGround(port = 4780) {
  const place = mkdtempSync(join(tmpdir(), 'trade-agent-home-'));
  const folder = join(place, 'home');
  const sandbox = await startSandbox({ home: join(place, 'sandbox'), port: 0, partialFills: false });
  const [alice] = sandbox.seed.users;
  if (alice === undefined) throw new Error('the sandbox has nobody');
  const pair = { keyId: alice.broker_key.key_id, secret: alice.broker_key.secret };
  return {
    ...{ place, folder, sandbox, pair },
    /** Makes a home for the sandbox's alice. @returns her recovery code */
    async make(change: Partial<NewHome> = {}) {
      const entry = createBrokerEntry({ kind: 'alpaca', url: sandbox.ready.broker });
      const opened = await verifyNewAccount(app, entry, pair, 'paper');
      const { recoveryCode } = await initHome(app, {
        folder,
        settings: { address: `http://localhost:${port}` },
        owner: { username: 'alice', name: 'Alice Adams', email: '' },
        opened,
        limits: { version: 1, accounts: { '*': { max_order_notional: '5000' } } },
        ...change,
      });
      return recoveryCode;
    },
    async close() {
      await sandbox.close();
      rmSync(place, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
