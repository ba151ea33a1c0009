import { describe, expect, it } from 'vitest';
import type { OpenAccount } from '../../../../src/gateway/broker/accounts.ts';
import { alpacaTraits } from '../../../../src/gateway/broker/alpaca/traits.ts';
import type { Submission } from '../../../../src/gateway/broker/broker.ts';
import type { BrokerTraits } from '../../../../src/gateway/broker/broker-traits.ts';
import type { Absence } from '../../../../src/gateway/orders/absence.ts';
import {
  maySubmitAgain,
  neverPlaced,
  settleByLookup,
  submitIntent,
} from '../../../../src/gateway/orders/order-submission.ts';
import type { OrderDraft } from '../../../../src/trading/order.ts';
import type { Refusal } from '../../../../src/trading/refusal.ts';
import { claimedJournal, draft, id, intent, START, TTL_MS } from './claimed-order.ts';

const stopped = async () => undefined;
const adopted = async () => undefined;
/** Nothing is ever absent for long enough. */
const absence: Absence = { missed: () => false, forget: () => undefined };

const clockAt = (now: number) => ({ now: () => now, monotonic: () => now, sleep: async () => {} });
const DAY_LATER = START + 24 * 60 * 60_000;

/** An order whose intent was written a minute before `late` milliseconds after its approval's end. */
async function claimedAt(late: number) {
  const journal = await claimedJournal();
  const submitted: OrderDraft[] = [];
  const broker = {
    submit: async (order: OrderDraft) => {
      submitted.push(order);
      return { outcome: 'accepted', order: { id: 'order-1', client_order_id: id } };
    },
    traits: alpacaTraits,
  } as unknown as OpenAccount;
  const clock = clockAt(START + TTL_MS + late);
  return {
    journal,
    submitted,
    submit: (isOurs?: () => Promise<boolean>) =>
      submitIntent(intent, () => broker.submit(draft), broker, {
        journal,
        clock,
        stopped,
        adopted,
        absence,
        isOurs,
      }),
  };
}

describe('a gateway that stood still between the intent and the broker', () => {
  it('sends the order while its approval holds', async () => {
    const { submit, submitted } = await claimedAt(-1);
    expect(await submit()).toMatchObject({ state: 'placed' });
    expect(submitted).toHaveLength(1);
  });

  it('sends nothing once the approval has ended, and says so for good', async () => {
    const { submit, submitted } = await claimedAt(0);
    expect(await submit()).toMatchObject({ state: 'rejected', problem: { code: 'not_placed' } });
    expect(submitted).toEqual([]);
  });

  it('sends nothing that another gateway has taken over, and leaves the claim for whoever is to send it', async () => {
    const { journal, submit, submitted } = await claimedAt(-1);
    let isClaimed: boolean | undefined;
    const isOurs = async () => {
      isClaimed = (await journal.find('alice', id)) !== undefined;
      return false;
    };
    await expect(submit(isOurs)).rejects.toMatchObject({ code: 'service_busy' });
    // Whoever takes over reads the journal after it has moved the proposal, so the claim has to come before this look.
    expect(isClaimed).toBe(true);
    expect(submitted).toEqual([]);
    expect(await journal.find('alice', id)).toMatchObject({ state: 'intent', submittedAt: null });
    expect(await submit(async () => true)).toMatchObject({ state: 'placed' });
  });

  it('does not call it never placed where another gateway has sent it meanwhile', async () => {
    const { journal, submit, submitted } = await claimedAt(0);
    const seen = await journal.find('alice', id);
    expect(seen && (await journal.reclaim(seen, START + 31_000))).toBe('claimed');
    await expect(submit()).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(submitted).toEqual([]);
    expect((await journal.find('alice', id))?.state).toBe('intent');
  });
});

it.each<[string, Submission]>([
  ['turned away', { outcome: 'not_taken', reason: 'rate_limited' }],
  ['refused', { outcome: 'refused', reason: 'insufficient_funds', message: 'no', brokerCode: undefined }],
])(
  'a submission that was %s proves nothing where another gateway has sent the order meanwhile',
  async (_, answer) => {
    const journal = await claimedJournal();
    const broker = {
      submit: async () => {
        const seen = await journal.find('alice', id);
        expect(seen && (await journal.reclaim(seen, START + 31_000))).toBe('claimed');
        return answer;
      },
      orderByClientOrderId: async () => undefined,
      traits: alpacaTraits,
    } as unknown as OpenAccount;
    const clock = clockAt(START + 31_000);
    const context = { journal, clock, stopped, adopted, absence };
    await expect(submitIntent(intent, () => broker.submit(draft), broker, context)).rejects.toMatchObject({
      code: 'outcome_unknown',
    });
    expect(await journal.find('alice', id)).toMatchObject({ state: 'unknown', submittedAt: START + 31_000 });
  },
);

describe('a gateway that stood still while it looked whether an order may still go out', () => {
  /** @param each what the looks come to, one after the other, and how long the gateway stands still in each */
  async function lookedAt(each: readonly { readonly is: Refusal | undefined; readonly ms: number }[]) {
    const journal = await claimedJournal();
    let now = START;
    let looks = 0;
    let sent = 0;
    const send = async () => {
      sent += 1;
      return { outcome: 'accepted', order: { id: 'order-1', client_order_id: id } } as Submission;
    };
    const { state } = await submitIntent(intent, send, { traits: alpacaTraits } as OpenAccount, {
      ...{ journal, adopted, absence },
      clock: { now: () => now, monotonic: () => now, sleep: async () => {} },
      stopped: async () => {
        const look = each[looks++];
        now += look?.ms ?? 0;
        return look?.is;
      },
    });
    return { state, looks, sent };
  }
  const revoked = neverPlaced('the mandate was revoked before it went out', 'MANDATE_NOT_ACTIVE');

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
  const ids = (takenOnce: boolean, lookedUp: BrokerTraits['clientOrderId']['lookedUp']) => ({
    clientOrderId: { takenOnce, lookedUp },
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

  it('lists the day’s orders alone, a hit settles an order and a miss proves nothing, however late', async () => {
    const journal = await claimedJournal();
    let listed: unknown;
    const broker = {
      orderByClientOrderId: async () => listed,
      traits: { ...alpacaTraits, ...ids(false, 'while_listed') },
    } as unknown as OpenAccount;
    const context = { journal, adopted, absence, clock: clockAt(DAY_LATER) };
    const entry = await journal.find('alice', id);
    expect(entry && (await settleByLookup(entry, broker, context))).toBeUndefined();
    expect((await journal.find('alice', id))?.state).toBe('intent');
    listed = { ...draft, id: 'order-1', notional: null, limit_price: null };
    expect(entry && (await settleByLookup(entry, broker, context))).toMatchObject({ state: 'placed' });
  });

  it('finds nothing by an id, it is not asked, and no order counts as never placed', async () => {
    const journal = await claimedJournal();
    const broker = { traits: { ...alpacaTraits, ...ids(true, 'never') } } as OpenAccount;
    const context = { journal, adopted, absence, clock: clockAt(DAY_LATER) };
    const entry = await journal.find('alice', id);
    expect(entry && (await settleByLookup(entry, broker, context))).toBeUndefined();
    const soon = { ...context, clock: clockAt(START), stopped };
    const lost = async () => ({ outcome: 'unknown' }) as const;
    await expect(submitIntent(intent, lost, broker, soon)).rejects.toMatchObject({
      code: 'outcome_unknown',
    });
    expect((await journal.find('alice', id))?.state).toBe('unknown');
  });
});
