import { describe, expect, it, vi } from 'vitest';
import type { SubmissionResult } from '../../../../src/gateway/broker/broker.ts';
import type { BrokerTraits } from '../../../../src/gateway/broker/broker-traits.ts';
import { maySubmitAgain, notPlacedProblem } from '../../../../src/gateway/orders/order-submission.ts';
import type { HttpProblem } from '../../../../src/trading/http-problem.ts';
import { claimed, order, START, TTL_MS } from './claimed-order.ts';

const taken = async (): Promise<SubmissionResult> => ({ outcome: 'accepted', order });

/** An order whose intent was written; then the gateway stood still until `late` milliseconds after its approval's end. */
async function claimedAt(late: number) {
  const made = await claimed();
  made.pass(TTL_MS + late);
  return { ...made, send: vi.fn(taken) };
}

describe('a gateway that stood still between the intent and the broker', () => {
  it('sends the order while its approval holds', async () => {
    const { submit, send } = await claimedAt(-1);
    expect(await submit(send)).toMatchObject({ state: 'placed' });
    expect(send).toHaveBeenCalledOnce();
  });

  it('sends nothing once the approval has ended, and says so for good', async () => {
    const { submit, send } = await claimedAt(0);
    expect(await submit(send)).toMatchObject({ state: 'rejected', problem: { code: 'not_placed' } });
    expect(send).not.toHaveBeenCalled();
  });

  it('sends nothing that another gateway has taken over, and leaves the claim for whoever is to send it', async () => {
    const { journal, entry, submit, send } = await claimedAt(-1);
    let isClaimed: boolean | undefined;
    const isOurs = async () => {
      isClaimed = (await journal.find('alice', order.client_order_id)) !== undefined;
      return false;
    };
    await expect(submit(send, { isOurs })).rejects.toMatchObject({ code: 'service_busy' });
    // Whoever takes over reads the journal after it has moved the proposal, so the claim has to come before this look.
    expect(isClaimed).toBe(true);
    expect(send).not.toHaveBeenCalled();
    expect(await entry()).toMatchObject({ state: 'intent', submittedAt: null });
    expect(await submit(send, { isOurs: async () => true })).toMatchObject({ state: 'placed' });
  });

  it('does not call it never placed where another gateway has sent it meanwhile', async () => {
    const { journal, entry, submit, send } = await claimedAt(0);
    expect(await journal.reclaim(await entry(), START + 31_000)).toBe('claimed');
    await expect(submit(send)).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(send).not.toHaveBeenCalled();
    expect((await entry()).state).toBe('intent');
  });
});

it.each<[string, SubmissionResult]>([
  ['turned away', { outcome: 'not_taken', reason: 'rate_limited' }],
  ['refused', { outcome: 'refused', reason: 'insufficient_funds', message: 'no', brokerCode: undefined }],
])('a submission that was %s proves nothing where another gateway has sent the order meanwhile', async (_, answer) => {
  const { journal, entry, pass, submit } = await claimed();
  pass(31_000);
  const submitted = submit(async () => {
    expect(await journal.reclaim(await entry(), START + 31_000)).toBe('claimed');
    return answer;
  });
  await expect(submitted).rejects.toMatchObject({ code: 'outcome_unknown' });
  expect(await entry()).toMatchObject({ state: 'unknown', submittedAt: START + 31_000 });
});

describe('a gateway that stood still while it looked whether an order may still go out', () => {
  /** @param each what the looks come to, one after the other, and how long the gateway stands still in each */
  async function lookedAt(each: readonly { readonly is: HttpProblem | undefined; readonly ms: number }[]) {
    const made = await claimed();
    const send = vi.fn(taken);
    let looks = 0;
    const stopped = async () => {
      const look = each[looks++];
      made.pass(look?.ms ?? 0);
      return look?.is;
    };
    const { state } = await made.submit(send, { stopped });
    return { state, looks, sent: send.mock.calls.length };
  }
  const revoked = notPlacedProblem('the mandate was revoked before it went out', 'MANDATE_NOT_ACTIVE');

  it('looks again, and sends nothing that was stopped meanwhile', async () => {
    const looked = await lookedAt([
      { is: undefined, ms: 5_000 },
      { is: revoked, ms: 0 },
    ]);
    expect(looked).toEqual({ state: 'rejected', looks: 2, sent: 0 });
  });

  it('sends nothing where the approval ended meanwhile', async () => {
    expect(await lookedAt([{ is: undefined, ms: 60_000 }])).toEqual({ state: 'rejected', looks: 1, sent: 0 });
  });

  it('looks once where it did not stand still', async () => {
    expect(await lookedAt([{ is: undefined, ms: 900 }])).toEqual({ state: 'placed', looks: 1, sent: 1 });
  });
});

describe('where the broker', () => {
  const minuteAgo = { submittedAt: START };
  const later = START + 60_000;
  const ids = (acceptedOnce: boolean, lookup: BrokerTraits['clientOrderId']['lookup']) => ({
    clientOrderId: { acceptedOnce, lookup },
  });

  it('takes each id once and finds orders by it, an order may be sent again in time', () => {
    expect(maySubmitAgain(minuteAgo, ids(true, 'for_good'), later)).toBe(true);
    expect(maySubmitAgain(minuteAgo, ids(true, 'for_good'), START + 1000)).toBe(false);
  });

  it('takes an id twice, or finds nothing by it, nothing is sent a second time', () => {
    expect(maySubmitAgain(minuteAgo, ids(false, 'for_good'), later)).toBe(false);
    expect(maySubmitAgain(minuteAgo, ids(true, 'never'), later)).toBe(false);
    expect(maySubmitAgain(minuteAgo, ids(true, 'while_listed'), later)).toBe(false);
    expect(maySubmitAgain({ submittedAt: null }, ids(false, 'never'), later)).toBe(true);
  });
});
