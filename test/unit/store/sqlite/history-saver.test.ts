import { emptyCheckpoint } from '@langchain/langgraph-checkpoint';
import { describe, expect, it } from 'vitest';
import { SqliteHistorySaver } from '../../../../src/store/sqlite/history-saver.ts';
import { VirtualClock } from '../../../virtual-clock.ts';
import { openStores } from '../../agent/state-fixture.ts';

const thread = { configurable: { thread_id: 't1', checkpoint_ns: '' } };
const metadata = { source: 'loop', step: 1, parents: {} } as const;

describe('a run that lost its thread', () => {
  const lostWithin = async () => {
    const { database, take } = await openStores(new VirtualClock());
    const lease = await take('t1', 'elsewhere|1|a');
    // Taken over, as far as the store knows, since the lease was taken.
    database.exec('UPDATE threads SET lease_epoch = lease_epoch + 1');
    let inTransaction: boolean | undefined;
    const lost = () => {
      inTransaction = database.inTransaction;
      return new Error('taken over');
    };
    const saver = new SqliteHistorySaver(database, { lease, lost });
    const stored = (table: string) => database.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number;
    return { saver, stored, inTransaction: () => inTransaction };
  };

  it('stores no checkpoint, however late it notices', async () => {
    const { saver, stored, inTransaction } = await lostWithin();
    await expect(saver.put(thread, emptyCheckpoint(), metadata)).rejects.toThrow('taken over');
    expect(stored('checkpoints')).toBe(0);
    // Asked where nobody can take the thread between the question and the write.
    expect(inTransaction()).toBe(true);
  });

  it('stores nothing of what a task came to', async () => {
    const { saver, stored, inTransaction } = await lostWithin();
    const at = { configurable: { ...thread.configurable, checkpoint_id: 'c1' } };
    await expect(saver.putWrites(at, [['messages', 'late']], 'task')).rejects.toThrow('taken over');
    expect(stored('writes')).toBe(0);
    expect(inTransaction()).toBe(true);
  });
});
