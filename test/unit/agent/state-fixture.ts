import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createThreadStore, type ThreadStore } from '../../../src/agent/run/thread-store.ts';
import type { Clock } from '../../../src/machine/clock.ts';
import { openStateDatabase, type StateDatabase } from '../../../src/store/sqlite/state-database.ts';

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A state database of its own with the thread `t1`, gone when the test ends. */
export function openStores(clock: Clock): {
  readonly database: StateDatabase;
  readonly threads: ThreadStore;
} {
  const database = openStateDatabase(join(temporaryFolder(), 'state.db'), randomBytes(32));
  onTestFinished(() => void database.close());
  const threads = createThreadStore(database, clock);
  threads.open('t1', { profile: 'test', sub: 'alice' }, 'buy 5 AAPL');
  return { database, threads };
}
