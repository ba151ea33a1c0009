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

  const draft = {
    account: 'PA3ALICE01',
    client_order_id: 'ta-00000001',
    symbol: 'AAPL',
    side: 'buy',
    qty: '5',
    type: 'limit',
    limit_price: '180.00',
    reference_price: '180.01',
    max_slippage: '0.01',
  } as OrderDraft;
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
