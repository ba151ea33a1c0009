import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { acquireThread } from '../../../src/agent/run/threads.ts';
import type { Clock } from '../../../src/machine/clock.ts';
import { openStateDatabase, type StateDatabase } from '../../../src/store/sqlite/state-database.ts';
import { createSqliteStateStores } from '../../../src/store/sqlite/state-stores.ts';
import type { StateStores } from '../../../src/store/state-stores.ts';
import type { ThreadLease } from '../../../src/store/thread-store.ts';

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

export const alice = { profile: 'test', sub: 'alice' } as const;

/** Has the thread `t1`. */
export async function openStores(clock: Clock): Promise<
  StateStores & {
    readonly database: StateDatabase;
    /** @throws {TradeAgentError} `busy` */
    take(thread: string, holder: string): Promise<ThreadLease>;
  }
> {
  const database = openStateDatabase(join(temporaryFolder(), 'state.db'), randomBytes(32));
  onTestFinished(() => void database.close());
  const stores = createSqliteStateStores(database);
  const { threads } = stores;
  const first = await acquireThread(
    threads,
    { title: 'buy 5 AAPL', thread: 't1' },
    { owner: alice, holder: 'fixture', clock },
  );
  await threads.end(first.lease, undefined, clock.now());
  const take = async (thread: string, holder: string) =>
    (await acquireThread(threads, { resume: thread }, { owner: alice, holder, clock })).lease;
  return { ...stores, database, take };
}
