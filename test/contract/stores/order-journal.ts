import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JournalEntry, OrderJournal } from '../../../src/store/order-journal.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import type { Order, Problem } from '../../../src/trading/views.ts';
import type { OpenedStores, OpenStores } from './gateway-factory.ts';

/** What every journal of orders promises. */
export function orderJournalContract(open: OpenStores): void {
  let opened: OpenedStores;
  let journal: OrderJournal;
  beforeEach(async () => {
    opened = await open();
    journal = opened.stores.orders;
  });
  afterEach(() => opened.close());

  const draft = { client_order_id: 'ta-00000001', symbol: 'AAPL' } as OrderDraft;
  const approvalOf = (jti: string) => ({ issuer: 'https://issuer.example', jti });
  const approval = approvalOf('jti-1');
  const claim = { clientOrderId: 'ta-00000001', digest: 'digest', sub: 'alice', approval, draft };
  const order = { id: 'order-1' } as Order;
  const problem = { code: 'broker_rejected', status: 422 } as Problem;
  const found = async (): Promise<JournalEntry> => {
    const entry = await journal.find('alice', 'ta-00000001');
    if (entry === undefined) throw new Error('not in the journal');
    return entry;
  };

  describe('a journal of orders', () => {
    it('writes the intent and uses the approval in one', async () => {
      expect(await journal.claim(claim, 1000)).toBe('claimed');
      expect(await found()).toMatchObject({
        state: 'intent',
        submissions: 1,
        submittedAt: 1000,
        ambiguous: false,
        draft,
      });
    });

    it('knows a client_order_id, whatever else the second claim says', async () => {
      await journal.claim(claim, 1000);
      const second = { ...claim, approval: approvalOf('jti-2'), digest: 'other' };
      expect(await journal.claim(second, 1001)).toBe('known');
      expect(await found()).toMatchObject({ sub: 'alice', digest: 'digest' });
      // Its approval was not used up by that.
      expect(await journal.claim({ ...second, clientOrderId: 'ta-00000002' }, 1002)).toBe('claimed');
    });

    it('keeps each user’s ids apart: what becomes of bob’s order is nothing to alice’s', async () => {
      const bobs = { ...claim, approval: approvalOf('jti-2'), sub: 'bob', digest: 'other' };
      expect(await journal.claim(bobs, 999)).toBe('claimed');
      expect(await journal.claim(claim, 1000)).toBe('claimed');
      await journal.reject(bobs, problem, 1001);
      expect(await found()).toMatchObject({ state: 'intent', digest: 'digest', submittedAt: 1000 });
      expect(await journal.find('bob', 'ta-00000001')).toMatchObject({ state: 'rejected', digest: 'other' });
    });

    it('keeps which order a replacement is put in place of', async () => {
      await journal.claim({ ...claim, replaces: 'order-0' }, 1000);
      expect((await found()).replaces).toBe('order-0');
    });

    it('lets an approval be used once, and a refused claim leaves no trace', async () => {
      await journal.claim(claim, 1000);
      expect(await journal.claim({ ...claim, clientOrderId: 'ta-00000002' }, 1001)).toBe('approval_used');
      expect(await journal.find('alice', 'ta-00000002')).toBeUndefined();
    });

    it('lets an approval be used once, for an order or a message', async () => {
      const message = { sub: 'alice', id: 'ta-00000009', digest: 'digest', draft: {} as never };
      const { messages } = opened.stores;
      await journal.claim(claim, 1000);
      expect(await messages.claim({ ...message, approval }, 1001)).toEqual({ outcome: 'approval_used' });
      expect(await messages.claim({ ...message, approval: approvalOf('jti-2') }, 1001)).toMatchObject({
        outcome: 'claimed',
      });
      const another = { ...claim, clientOrderId: 'ta-00000002', approval: approvalOf('jti-2') };
      expect(await journal.claim(another, 1002)).toBe('approval_used');
    });

    it('tells two issuers’ approvals of the same id apart', async () => {
      await journal.claim(claim, 1000);
      const elsewhere = { issuer: 'https://other.example', jti: 'jti-1' };
      const another = { ...claim, clientOrderId: 'ta-00000002', approval: elsewhere };
      expect(await journal.claim(another, 1001)).toBe('claimed');
    });

    it('gives a claim to one of many at once, in this process and another', async () => {
      const journals = [journal, opened.another().orders];
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          journals[n % 2]?.claim({ ...claim, approval: approvalOf(`jti-${n}`) }, 1000),
        ),
      );
      expect(claims.toSorted()).toEqual(['claimed', ...Array(19).fill('known')]);
    });

    it('lets an approval be used by one of many orders at once', async () => {
      const journals = [journal, opened.another().orders];
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          journals[n % 2]?.claim({ ...claim, clientOrderId: `ta-${n}` }, 1000),
        ),
      );
      expect(claims.toSorted()).toEqual([...Array(19).fill('approval_used'), 'claimed']);
    });

    it('counts a person’s orders since, but for one, without those that were refused', async () => {
      const claims = ['1', '2', '3', '4'].map((n) => ({
        ...claim,
        clientOrderId: `ta-0000000${n}`,
        approval: approvalOf(`jti-${n}`),
      }));
      for (const [index, one] of claims.entries()) await journal.claim(one, 1000 + index);
      await journal.claim({ ...claim, sub: 'bob', approval: approvalOf('of bob') }, 1002);
      const but = (clientOrderId: string) => ({ sub: 'alice', clientOrderId });
      expect(await journal.countSince(1000, but('ta-new'))).toBe(4);
      expect(await journal.countSince(1002, but('ta-new'))).toBe(2);
      expect(await journal.countSince(1004, but('ta-new'))).toBe(0);
      expect(await journal.countSince(1000, but('ta-00000002'))).toBe(3);
      expect(await journal.countSince(1000, { sub: 'carol', clientOrderId: 'ta-new' })).toBe(0);
      await journal.place(but('ta-00000001'), order, 1010);
      await journal.doubt(but('ta-00000002'), 1010);
      await journal.refuse(but('ta-00000003'), problem, 1010);
      await journal.reject(but('ta-00000004'), problem, 1010);
      expect(await journal.countSince(1000, but('ta-new'))).toBe(2);
      expect(await opened.another().orders.countSince(1000, but('ta-new'))).toBe(2);
    });

    it('takes a claim up to so many, and beyond it writes and uses nothing', async () => {
      const atMost = { orders: 1, since: 1000 };
      expect(await journal.claim({ ...claim, atMost }, 999)).toBe('claimed');
      const second = { ...claim, clientOrderId: 'ta-00000002', approval: approvalOf('jti-2'), atMost };
      expect(await journal.claim(second, 1000)).toBe('claimed');
      const third = { ...claim, clientOrderId: 'ta-00000003', approval: approvalOf('jti-3'), atMost };
      expect(await journal.claim(third, 1001)).toBe('too_many');
      expect(await journal.find('alice', 'ta-00000003')).toBeUndefined();
      expect(await journal.claim(second, 1001)).toBe('known');
      expect(await journal.claim({ ...third, sub: 'bob' }, 1001)).toBe('claimed');
      await journal.refuse({ sub: 'alice', clientOrderId: 'ta-00000002' }, problem, 1002);
      const fourth = { ...third, clientOrderId: 'ta-00000004', approval: approvalOf('jti-4') };
      expect(await journal.claim(fourth, 1003)).toBe('claimed');
    });

    it('takes no more claims than so many, of however many at once, in this process and another', async () => {
      const both = [journal, opened.another().orders];
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          both[n % 2]?.claim(
            {
              ...claim,
              clientOrderId: `ta-of-many-${n}`,
              approval: approvalOf(`jti-${n}`),
              atMost: { orders: 7, since: 0 },
            },
            1000,
          ),
        ),
      );
      expect(answers.filter((answer) => answer === 'claimed')).toHaveLength(7);
      expect(answers.filter((answer) => answer === 'too_many')).toHaveLength(13);
    });

    it('never changes a final state', async () => {
      await journal.claim(claim, 1000);
      const seen = await found();
      await journal.place(claim, order, 1001);
      await journal.reject(claim, problem, 1002);
      await journal.doubt(claim, 1003);
      expect(await journal.release(claim, 1004)).toBe('stale');
      expect(await journal.refuse(claim, problem, 1004)).toBe('stale');
      expect(await journal.reclaim(seen, 1005)).toBe('stale');
      expect(await journal.reclaim(await found(), 1005)).toBe('stale');
      expect(await found()).toMatchObject({ state: 'placed', order, problem: undefined, submissions: 1 });
    });

    it('settles an unknown outcome either way', async () => {
      await journal.claim(claim, 1000);
      await journal.doubt(claim, 1001);
      expect((await found()).state).toBe('unknown');
      await journal.reject(claim, problem, 1002);
      expect(await found()).toMatchObject({ state: 'rejected', problem, order: undefined });
    });

    it('gives the right to send again to one of many at once, within the same millisecond too', async () => {
      await journal.claim(claim, 1000);
      const seen = await found();
      const journals = [journal, opened.another().orders];
      const rights = await Promise.all(
        Array.from({ length: 10 }, (_, n) => journals[n % 2]?.reclaim(seen, 1000)),
      );
      expect(rights.toSorted()).toEqual(['claimed', ...Array(9).fill('stale')]);
      expect((await found()).submissions).toBe(2);
    });

    it('gives the right to send again to one alone', async () => {
      await journal.claim(claim, 1000);
      await journal.doubt(claim, 1001);
      const seen = await found();
      expect(await journal.reclaim(seen, 2000)).toBe('claimed');
      expect(await journal.reclaim(seen, 2000)).toBe('stale');
      expect(await found()).toMatchObject({
        state: 'intent',
        submissions: 2,
        submittedAt: 2000,
        ambiguous: true,
      });
    });

    it('gives no right to send again to who saw it before it was released', async () => {
      await journal.claim(claim, 1000);
      const seen = await found();
      await journal.release(claim, 1001);
      expect(await journal.reclaim(seen, 1002)).toBe('stale');
      expect(await found()).toMatchObject({ submissions: 1, submittedAt: null });
    });

    it('knows when every submission came to nothing', async () => {
      await journal.claim(claim, 1000);
      expect(await journal.release(claim, 1001)).toBe('released');
      expect(await found()).toMatchObject({ state: 'intent', submittedAt: null });
      await journal.reclaim(await found(), 2000);
      expect(await found()).toMatchObject({ submittedAt: 2000, ambiguous: false });
    });

    it('takes a refusal for a no while no submission is in doubt', async () => {
      await journal.claim(claim, 1000);
      expect(await journal.refuse(claim, problem, 1001)).toBe('rejected');
      expect(await found()).toMatchObject({ state: 'rejected', problem });
    });

    it('takes back no submission, and takes no refusal for a no, after an earlier one was left in doubt', async () => {
      await journal.claim(claim, 1000);
      await journal.doubt(claim, 1001);
      await journal.reclaim(await found(), 2000);
      expect(await journal.release(claim, 2001)).toBe('stale');
      expect(await journal.refuse(claim, problem, 2001)).toBe('stale');
      expect(await found()).toMatchObject({ state: 'intent', submittedAt: 2000, ambiguous: true });
    });

    it('is shared by processes: another sees what the first wrote', async () => {
      await journal.claim(claim, 1000);
      const { orders } = opened.another();
      expect(await orders.claim({ ...claim, approval: approvalOf('jti-2') }, 1001)).toBe('known');
    });
  });
}
