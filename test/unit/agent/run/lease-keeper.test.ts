import { expect, it } from 'vitest';
import { createLeaseKeeper } from '../../../../src/agent/run/lease-keeper.ts';
import { acquireThread } from '../../../../src/agent/run/threads.ts';
import { VirtualClock } from '../../../virtual-clock.ts';
import { alice, openStores } from '../state-fixture.ts';

const HOLDER = 'elsewhere|1|a';
const busy = expect.objectContaining({ code: 'busy' });

it('keeps a lease for as long as the run has not ended', async () => {
  const clock = new VirtualClock();
  const { threads, take } = await openStores(clock);
  const lease = await take('t1', HOLDER);
  const kept = createLeaseKeeper(threads, clock, HOLDER).keep(lease, () => undefined);
  await clock.run(clock.sleep(120_000));
  expect(await kept.isHeld()).toBe(true);
  await expect(take('t1', 'elsewhere|2|b')).rejects.toEqual(busy);
  await kept.end('done');
  expect(await threads.find('t1')).toMatchObject({ status: 'done', holder: undefined });
  await take('t1', 'elsewhere|2|b');
});

it('tells once that another has taken the thread while this process stood still', async () => {
  const clock = new VirtualClock();
  const { threads, take } = await openStores(clock);
  let lost = 0;
  const kept = createLeaseKeeper(threads, clock, HOLDER).keep(await take('t1', HOLDER), () => {
    lost += 1;
  });
  clock.advance(60_000);
  await take('t1', 'elsewhere|2|b');
  expect(await kept.isHeld()).toBe(false);
  await clock.run(clock.sleep(15_000));
  expect(lost).toBe(1);
  // Not ours to give back, or to say how it stands.
  await kept.end('done');
  expect((await threads.find('t1'))?.status).toBe('running');
  await expect(take('t1', 'elsewhere|3|c')).rejects.toEqual(busy);
});

it('lets a lease run out that could not be given back, however long it keeps others', async () => {
  const clock = new VirtualClock();
  const { threads, take } = await openStores(clock);
  const other = { title: 'sell 5 AAPL', thread: 't2' };
  const { lease: second } = await acquireThread(threads, other, { owner: alice, holder: HOLDER, clock });
  const end: typeof threads.end = async (lease, ...how) => {
    if (lease.thread === 't1') throw new Error('busy');
    return threads.end(lease, ...how);
  };
  const keeper = createLeaseKeeper({ ...threads, end }, clock, HOLDER);
  const stuck = keeper.keep(await take('t1', HOLDER), () => undefined);
  const kept = keeper.keep(second, () => undefined);
  await stuck.end('done');
  await clock.run(clock.sleep(60_000));
  expect(await kept.isHeld()).toBe(true);
  await take('t1', 'elsewhere|2|b');
  await kept.end(undefined);
});

it('does not take a lease for lost that was taken while the others were renewed', async () => {
  const clock = new VirtualClock();
  const { threads, take } = await openStores(clock);
  const other = { title: 'sell 5 AAPL', thread: 't2' };
  const { lease: second } = await acquireThread(threads, other, { owner: alice, holder: HOLDER, clock });
  const lost: string[] = [];
  const answered = Promise.withResolvers<void>();
  const renew: typeof threads.renew = async (...which) => {
    const held = await threads.renew(...which);
    await answered.promise;
    return held;
  };
  const keeper = createLeaseKeeper({ ...threads, renew }, clock, HOLDER);
  const one = keeper.keep(second, () => lost.push('t2'));
  await clock.run(clock.sleep(11_000));
  const two = keeper.keep(await take('t1', HOLDER), () => lost.push('t1'));
  answered.resolve();
  await clock.run(clock.sleep(1_000));
  expect(lost).toEqual([]);
  await one.end(undefined);
  await two.end(undefined);
});
