import { expect, it } from 'vitest';
import { createLeaseKeeper } from '../../../../src/agent/run/lease-keeper.ts';
import { VirtualClock } from '../../../virtual-clock.ts';
import { openStores } from '../state-fixture.ts';

it('keeps a lease for as long as it is not released', async () => {
  const clock = new VirtualClock();
  const { threads } = openStores(clock);
  const lease = createLeaseKeeper(threads, clock, 'elsewhere|1|a').keep('t1', () => undefined);
  await clock.run(clock.sleep(120_000));
  expect(lease.isHeld()).toBe(true);
  expect(() => threads.lease('t1', 'elsewhere|2|b')).toThrow(expect.objectContaining({ code: 'busy' }));
  lease.release();
  threads.lease('t1', 'elsewhere|2|b');
});

it('tells once that another has taken the thread while this process stood still', async () => {
  const clock = new VirtualClock();
  const { threads } = openStores(clock);
  let lost = 0;
  const lease = createLeaseKeeper(threads, clock, 'elsewhere|1|a').keep('t1', () => {
    lost += 1;
  });
  clock.advance(60_000);
  threads.lease('t1', 'elsewhere|2|b');
  expect(lease.isHeld()).toBe(false);
  await clock.run(clock.sleep(15_000));
  expect(lost).toBe(1);
  // Not ours to give back.
  lease.release();
  expect(() => threads.lease('t1', 'elsewhere|3|c')).toThrow(expect.objectContaining({ code: 'busy' }));
});

it('lets a lease run out that could not be given back, however long it keeps others', async () => {
  const clock = new VirtualClock();
  const { threads } = openStores(clock);
  threads.open('t2', { profile: 'test', sub: 'alice' }, 'sell 5 AAPL');
  const busy = () => {
    throw new Error('busy');
  };
  const lease: typeof threads.lease = (id, holder) => {
    const taken = threads.lease(id, holder);
    return id === 't1' ? { ...taken, release: busy } : taken;
  };
  const keeper = createLeaseKeeper({ ...threads, lease }, clock, 'elsewhere|1|a');
  const stuck = keeper.keep('t1', () => undefined);
  const kept = keeper.keep('t2', () => undefined);
  stuck.release();
  await clock.run(clock.sleep(60_000));
  expect(kept.isHeld()).toBe(true);
  threads.lease('t1', 'elsewhere|2|b');
  kept.release();
});
