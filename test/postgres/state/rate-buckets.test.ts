import { expect, it } from 'vitest';
import { stateSchema } from '../../../src/store/postgres/migrations/state.ts';
import { postgresRateBuckets } from '../../../src/store/postgres/rate-buckets.ts';
import { rateBucketsContract } from '../../contract/stores/rate-buckets.ts';
import { blockDatabase, withPostgres } from '../support/database.ts';

withPostgres('buckets on PostgreSQL', () => {
  const server = blockDatabase(stateSchema);

  rateBucketsContract(async () => {
    const database = await server.open();
    const other = await server.open(database.tenant);
    return {
      buckets: postgresRateBuckets(database),
      another: () => postgresRateBuckets(other),
      close: async () => undefined,
    };
  });

  it('are each tenant’s own', async () => {
    const [ours, theirs] = [await server.open(), await server.open()].map(postgresRateBuckets);
    const rate = { perSecond: 0.01, burst: 1 };
    expect(await ours?.take('broker', rate, 1)).toBe(0);
    expect(await theirs?.take('broker', rate, 1)).toBe(0);
    expect(await ours?.take('broker', rate, 1)).toBeGreaterThan(0);
  });
});
