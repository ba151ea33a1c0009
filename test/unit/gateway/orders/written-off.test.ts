import { describe, expect, it } from 'vitest';
import type { SubmissionResult } from '../../../../src/gateway/broker/broker.ts';
import { REQUIRED_ABSENCE_MS } from '../../../../src/gateway/orders/absence.ts';
import { currentDispatchDeadline } from '../../../../src/net/dispatch-deadline.ts';
import { claim, claimed, draft, order, START, TTL_MS, unavailable } from './claimed-order.ts';

/** A broker's client that asks right before it writes, as the gateway's transport does. */
const sendNow = async (pass?: () => void): Promise<SubmissionResult> => {
  pass?.();
  try {
    currentDispatchDeadline()?.dispatch();
  } catch {
    return { outcome: 'unknown' };
  }
  return { outcome: 'accepted', order };
};

describe('an order that was written off while its request was open', () => {
  it.each<[string, SubmissionResult]>([
    ['the broker’s answer arrives', { outcome: 'accepted', order }],
    ['it is found after a request without an answer', { outcome: 'unknown' }],
  ])('is adopted when %s', async (_, answer) => {
    const made = await claimed();
    if (answer.outcome === 'unknown') made.found = async () => order;
    const entry = await made.submit(async () => {
      expect(await made.writeOff()).toBe('written_off');
      return answer;
    });
    expect(entry).toMatchObject({ state: 'placed', order: { id: 'order-1' }, writtenOffAt: START });
    expect(made.adopted).toEqual([entry]);
  });

  it.each<[string, SubmissionResult]>([
    ['refused', { outcome: 'refused', reason: 'insufficient_funds', message: 'no', brokerCode: undefined }],
    ['turned away', { outcome: 'not_taken', reason: 'rate_limited' }],
    ['unknown', { outcome: 'unknown' }],
  ])('stays written off when it is %s', async (_, answer) => {
    const made = await claimed();
    const submitted = made.submit(async () => {
      await made.writeOff();
      return answer;
    });
    await expect(submitted).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(await made.entry()).toMatchObject({ state: 'rejected', problem: { code: 'not_placed' } });
    expect(made.adopted).toEqual([]);
  });

  it('is not adopted where it was placed all along', async () => {
    const made = await claimed();
    const entry = await made.submit(async () => ({ outcome: 'accepted', order }));
    expect(entry).toMatchObject({ state: 'placed', writtenOffAt: null });
    expect(made.adopted).toEqual([]);
  });
});

describe('a submission', () => {
  it.each([
    ['15 s after its checks', TTL_MS, 15_000, 'both clocks'],
    ['15 s after its checks, by the wall clock alone', TTL_MS, 15_000, 'wall'],
    ['15 s after its checks, by the monotonic clock alone', TTL_MS, 15_000, 'monotonic'],
    ['when its approval has expired', 5_000, 5_000, 'both clocks'],
  ] as const)('that would leave %s is stopped, and can be made again', async (_, left, ms, by) => {
    const made = await claimed();
    made.pass(TTL_MS - left);
    const stopped = made.submit(() => sendNow(() => made.pass(ms, by)));
    await expect(stopped).rejects.toMatchObject({ status: 503, code: 'service_busy' });
    expect(await made.entry()).toMatchObject({ state: 'intent', submittedAt: null, ambiguous: false });
    expect(made.looks).toBe(0);
    const inTime = await claimed();
    inTime.pass(TTL_MS - left);
    expect(await inTime.submit(() => sendNow(() => inTime.pass(ms - 1, by)))).toMatchObject({
      state: 'placed',
    });
  });

  it('that was stopped can be made again, and its answer counts as a first one’s', async () => {
    const made = await claimed();
    await made.submit(() => sendNow(() => made.pass(15_000))).catch(() => undefined);
    expect(await made.journal.reclaim(await made.entry(), START + 15_000)).toBe('claimed');
    expect(await made.submit(() => sendNow())).toMatchObject({
      state: 'placed',
      ambiguous: false,
      submissions: 2,
    });
  });

  it('that is stopped after another process has sent the order leaves it unknown', async () => {
    const made = await claimed();
    expect(await made.journal.reclaim(await made.entry(), START)).toBe('claimed');
    const stopped = made.submit(() => sendNow(() => made.pass(15_000)));
    await expect(stopped).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(await made.entry()).toMatchObject({ state: 'unknown', submittedAt: START + 15_000 });
  });

  it('of which a part had left is unknown, though the rest was stopped', async () => {
    const made = await claimed();
    const stopped = made.submit(async () => {
      await sendNow();
      return await sendNow(() => made.pass(15_000));
    });
    await expect(stopped).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(await made.entry()).toMatchObject({ state: 'unknown', submittedAt: START + 15_000 });
  });
});

describe('an order of unknown outcome that the broker does not have', () => {
  it('is written off when it was absent for five minutes after its approval expired', async () => {
    const made = await claimed();
    await made.journal.markUnknown(claim, START);
    // The misses of the first minute prove nothing: until then it may be sent.
    expect(await made.settleFor(TTL_MS + REQUIRED_ABSENCE_MS - 30_000)).toBeUndefined();
    made.pass(29_999);
    expect(await made.settle()).toBeUndefined();
    made.pass(1);
    expect(await made.settle()).toMatchObject({
      state: 'rejected',
      problem: { code: 'not_placed' },
      writtenOffAt: START + TTL_MS + REQUIRED_ABSENCE_MS,
    });
  });

  it('is not written off while the broker does not answer, which starts the measurement again', async () => {
    const made = await claimed();
    made.pass(TTL_MS);
    await made.settleFor(REQUIRED_ABSENCE_MS - 30_000);
    made.found = unavailable;
    await expect(made.settle()).rejects.toMatchObject({ code: 'broker_unavailable' });
    made.found = async () => undefined;
    made.pass(30_000);
    expect(await made.settleFor(REQUIRED_ABSENCE_MS - 1)).toBeUndefined();
    made.pass(1);
    expect(await made.settle()).toMatchObject({ state: 'rejected' });
  });

  it('is not written off where the account at the broker is another one by now', async () => {
    const made = await claimed();
    made.pass(TTL_MS);
    made.account = async () => 'PA3OTHER01';
    expect(await made.settleFor(2 * REQUIRED_ABSENCE_MS)).toBeUndefined();
    expect(await made.entry()).toMatchObject({ state: 'intent', writtenOffAt: null });
    made.account = async () => draft.account;
    expect(await made.settle()).toMatchObject({ state: 'rejected' });
  });

  it.each(['account', 'market'] as const)('is not written off while the broker does not tell its %s', async (what) => {
    const made = await claimed();
    made.pass(TTL_MS);
    const known = made[what];
    made[what] = unavailable;
    await expect(made.settleFor(REQUIRED_ABSENCE_MS)).rejects.toMatchObject({ code: 'broker_unavailable' });
    expect(await made.entry()).toMatchObject({ state: 'intent', writtenOffAt: null });
    Object.assign(made, { [what]: known });
    expect(await made.settle()).toMatchObject({ state: 'rejected' });
  });

  it('is not written off where somebody sends it again meanwhile', async () => {
    const made = await claimed();
    made.pass(TTL_MS);
    await made.settleFor(REQUIRED_ABSENCE_MS - 30_000);
    made.pass(30_000);
    made.account = async () => {
      await made.journal.reclaim(await made.entry(), START + TTL_MS);
      return draft.account;
    };
    expect(await made.settle()).toBeUndefined();
    expect(await made.entry()).toMatchObject({ state: 'intent', submissions: 2, writtenOffAt: null });
  });

  it('is placed where the broker has it at the last look', async () => {
    const made = await claimed();
    made.pass(TTL_MS);
    await made.settleFor(REQUIRED_ABSENCE_MS - 30_000);
    made.found = async () => order;
    expect(await made.settle()).toMatchObject({ state: 'placed', writtenOffAt: null });
    expect(made.adopted).toEqual([]);
  });

  it('is given up at once after its approval expired, where every submission is known to have come to nothing', async () => {
    const made = await claimed();
    await made.journal.release(claim, START);
    made.pass(TTL_MS - 1);
    expect(await made.settle()).toBeUndefined();
    made.pass(1);
    expect(await made.settle()).toMatchObject({
      state: 'rejected',
      problem: { code: 'not_placed' },
      writtenOffAt: null,
    });
  });

  it('is never written off where the broker lists the orders of the day alone', async () => {
    const made = await claimed('while_listed');
    made.pass(TTL_MS);
    expect(await made.settleFor(10 * REQUIRED_ABSENCE_MS)).toBeUndefined();
    expect((await made.entry()).state).toBe('intent');
    made.found = async () => order;
    expect(await made.settle()).toMatchObject({ state: 'placed' });
  });

  it('is not looked up where the broker finds nothing by an id', async () => {
    const made = await claimed('never');
    const lost = made.submit(async () => ({ outcome: 'unknown' }));
    await expect(lost).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect((await made.entry()).state).toBe('unknown');
    made.pass(TTL_MS);
    expect(await made.settleFor(2 * REQUIRED_ABSENCE_MS)).toBeUndefined();
    await made.writeOff();
    expect((await made.recheck()).state).toBe('rejected');
    expect(made.looks).toBe(0);
  });

  it.each<[string, string, string, string]>([
    ['while the market is open', '2026-11-24T15:00:00Z', '2026-11-24T16:00:00-05:00', '2026-11-25T05:00:00Z'],
    ['after its close', '2026-11-24T22:00:00Z', '2026-11-25T16:00:00-05:00', '2026-11-26T05:00:00Z'],
    ['before a holiday', '2026-11-25T22:00:00Z', '2026-11-27T13:00:00-05:00', '2026-11-28T05:00:00Z'],
    ['on a Friday evening', '2026-11-27T22:00:00Z', '2026-11-30T16:00:00-05:00', '2026-12-01T05:00:00Z'],
    ['on a Sunday', '2026-11-29T15:00:00Z', '2026-11-30T16:00:00-05:00', '2026-12-01T05:00:00Z'],
    ['in summer', '2026-07-14T15:00:00Z', '2026-07-14T16:00:00-04:00', '2026-07-15T04:00:00Z'],
    ['when summer time ends', '2026-10-30T22:00:00Z', '2026-11-02T16:00:00-05:00', '2026-11-03T05:00:00Z'],
    ['where the close is past', '2026-11-24T22:00:00Z', '2026-11-23T16:00:00-05:00', '2026-11-25T05:00:00Z'],
    ['where the broker tells no close', '2026-11-24T15:00:00Z', '', '2026-11-25T05:00:00Z'],
  ])('keeps what it reserved until the end of its trading day in New York: %s', async (_, at, close, until) => {
    const made = await claimed();
    made.market = async () => ({ next_close: close });
    made.pass(Date.parse(at) - START - REQUIRED_ABSENCE_MS);
    // In summer this is before the start, and its approval has not expired yet.
    const entry = { ...(await made.entry()), draft: { ...draft, expires_at: '2026-01-01T00:00:00Z' } };
    made.entry = async () => entry;
    await made.settleFor(REQUIRED_ABSENCE_MS);
    expect(made.reservations.map((ms) => new Date(ms).toISOString().replace('.000', ''))).toEqual([until]);
  });
});

describe('an order that was written off, looked at again', () => {
  it('is adopted where the broker has it', async () => {
    const made = await claimed();
    await made.writeOff();
    made.found = async () => order;
    const entry = await made.recheck();
    expect(entry).toMatchObject({ state: 'placed', order: { id: 'order-1' }, writtenOffAt: START });
    expect(made.adopted).toEqual([entry]);
  });

  it('stays so where the broker does not have it, has another order under its id, or does not answer', async () => {
    const made = await claimed();
    await made.writeOff();
    expect((await made.recheck()).state).toBe('rejected');
    made.found = async () => ({ ...order, symbol: 'MSFT' });
    expect((await made.recheck()).state).toBe('rejected');
    made.found = unavailable;
    await expect(made.recheck()).rejects.toMatchObject({ code: 'broker_unavailable' });
    expect((await made.entry()).state).toBe('rejected');
    expect(made.adopted).toEqual([]);
  });
});
