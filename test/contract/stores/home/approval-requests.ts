import { describe, expect, it } from 'vitest';
import {
  type ApprovalRequest,
  createApprovalRequests,
  TooManyPendingError,
} from '../../../../src/home/identity-provider/approval-requests.ts';
import { VirtualClock } from '../../../virtual-clock.ts';
import { linkedProcesses } from './linked-processes.ts';
import { homeDatabaseForEach, type OpenHomeDatabase } from './open-home-database.ts';

export function approvalRequestsContract(open: OpenHomeDatabase): void {
  describe('approval requests', () => {
    const opened = homeDatabaseForEach(open);

    const start = () => {
      const clock = new VirtualClock();
      const [first, second] = linkedProcesses();
      return {
        clock,
        ours: createApprovalRequests(opened.database, clock, first),
        anothers: createApprovalRequests(opened.another, clock, second),
      };
    };
    const asking = (clock: VirtualClock, authReqId: string, proposal?: string) => ({
      authReqId,
      user: 'alice',
      clientId: 'gateway',
      clientName: 'The gateway',
      code: 'K7QP',
      bindingMessage: undefined,
      details: { type: 'trade_order', ...(proposal === undefined ? {} : { proposal }) },
      expiresAt: clock.now() + 300_000,
    });

    it('takes one of two decisions that two processes make at once, with its evidence', async () => {
      const { clock, ours, anothers } = start();
      for (let round = 0; round < 5; round++) {
        const { id } = await ours.add(asking(clock, `auth-${round}`));
        const [yes, no] = await Promise.all([
          ours.decide(id, 'approve', 'alice', { key: 'a' }),
          anothers.decide(id, 'deny', 'alice'),
        ]);
        expect([yes.outcome, no.outcome].sort()).toEqual(['conflict', 'decided']);
        const found = await anothers.find(id);
        expect(found?.status).toBe(yes.outcome === 'decided' ? 'approved' : 'denied');
        expect(await anothers.evidenceOf(`auth-${round}`)).toEqual(
          yes.outcome === 'decided' ? { key: 'a' } : undefined,
        );
      }
    });

    it('says that the same decision is a repetition, and keeps the first evidence', async () => {
      const { clock, ours, anothers } = start();
      const { id } = await ours.add(asking(clock, 'auth'));
      await ours.decide(id, 'approve', 'alice', { key: 'a' });
      expect((await anothers.decide(id, 'approve', 'alice', { key: 'b' })).outcome).toBe('repeated');
      expect((await ours.find(id))?.evidence).toEqual({ key: 'a' });
    });

    it('either is decided or withdrawn, whatever happens at once', async () => {
      const { clock, ours, anothers } = start();
      for (let round = 0; round < 5; round++) {
        const { id } = await ours.add(asking(clock, `auth-${round}`));
        const [decided, told] = await Promise.all([
          ours.decide(id, 'approve'),
          anothers.tell(`auth-${round}`, 'gateway', { state: 'cancelled', text: '' }),
        ]);
        expect([
          ['decided', 'already_decided'],
          ['withdrawn', 'told'],
        ]).toContainEqual([decided.outcome, told.outcome]);
      }
    });

    it('lets only its person decide, and only in time', async () => {
      const { clock, ours } = start();
      const { id } = await ours.add(asking(clock, 'auth'));
      expect((await ours.decide(id, 'approve', 'bob')).outcome).toBe('not_found');
      expect((await ours.decide('another', 'approve')).outcome).toBe('not_found');
      clock.advance(300_000);
      expect((await ours.decide(id, 'approve', 'alice')).outcome).toBe('expired');
      expect((await ours.find(id))?.status).toBe('expired');
    });

    it('keeps one of two requests for a proposal that two processes store at once', async () => {
      const { clock, ours, anothers } = start();
      await Promise.all([ours.add(asking(clock, 'auth-1', 'pr_1')), anothers.add(asking(clock, 'auth-2', 'pr_1'))]);
      expect(await ours.pending('alice')).toHaveLength(1);
      expect([await ours.countPending('alice'), await ours.countPending('bob')]).toEqual([1, 0]);
      // The replaced one is withdrawn, which its client has to learn.
      expect(await ours.undelivered()).toHaveLength(1);
      expect(await ours.recent('alice', 10)).toEqual([]);
    });

    it('keeps no more of a client’s requests than it may have, however many processes store them at once', async () => {
      const { clock, ours, anothers } = start();
      const asked = await Promise.allSettled(
        [ours, anothers, ours, anothers].map((at, n) => at.add(asking(clock, `auth-${n}`), 2)),
      );
      const refused = asked.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
      expect(refused).toEqual([expect.any(TooManyPendingError), expect.any(TooManyPendingError)]);
      expect(await ours.pending('alice')).toHaveLength(2);
      // Another client’s, another person’s, and one that replaces its predecessor.
      await ours.add({ ...asking(clock, 'auth-5'), clientId: 'another' }, 2);
      await ours.add({ ...asking(clock, 'auth-6'), user: 'bob' }, 2);
      await ours.add(asking(clock, 'auth-7', 'pr_7'), 3);
      await ours.add(asking(clock, 'auth-8', 'pr_7'), 3);
    });

    it('replaces an approved request whose token was lost', async () => {
      const { clock, ours } = start();
      const { id } = await ours.add(asking(clock, 'auth-1', 'pr_1'));
      await ours.decide(id, 'approve');
      await ours.add(asking(clock, 'auth-2', 'pr_1'));
      expect(await ours.find(id)).toMatchObject({
        status: 'approved',
        replaced: true,
        outcome: { state: 'cancelled' },
      });
    });

    it('lists what ended, latest first and page by page, also within one millisecond', async () => {
      const { clock, ours, anothers } = start();
      const ids: string[] = [];
      for (let index = 0; index < 5; index++) {
        const { id } = await ours.add(asking(clock, `auth-${index}`));
        await ours.decide(id, 'deny');
        ids.unshift(id);
      }
      const [newest, second, third, ...rest] = (await anothers.recent('alice', 10)).map(({ id }) => id);
      expect([newest, second, third, ...rest]).toEqual(ids);
      expect((await anothers.recent('alice', 2, third)).map(({ id }) => id)).toEqual(rest);
      expect(await anothers.recent('bob', 10, third)).toEqual([]);
    });

    it('keeps an outcome that is final, whatever is reported later', async () => {
      const { clock, ours } = start();
      const { id } = await ours.add(asking(clock, 'auth'));
      const tell = (state: 'executing' | 'executed' | 'cancelled' | 'blocked') =>
        ours.tell('auth', 'gateway', { state, text: state });
      expect((await tell('executing')).outcome).toBe('not_decided');
      expect((await ours.tell('auth', 'another', { state: 'executed', text: '' })).outcome).toBe('not_found');
      await ours.decide(id, 'approve');
      await tell('executing');
      await tell('executed');
      for (const late of ['executing', 'blocked'] as const) await tell(late);
      expect((await tell('cancelled')).outcome).toBe('already_decided');
      expect((await ours.find(id))?.outcome).toMatchObject({ state: 'executed', text: 'executed' });
    });

    describe('of which one is decided', () => {
      const decided = async () => {
        const processes = start();
        const { id } = await processes.ours.add(asking(processes.clock, 'auth'));
        const delivered: string[] = [];
        const to = (name: string) => async (request: ApprovalRequest) => {
          delivered.push(`${name}: ${request.status}`);
        };
        await processes.ours.deliverOnce(id, to('too early'));
        await processes.ours.decide(id, 'approve');
        expect(await processes.anothers.undelivered()).toEqual([id]);
        return { ...processes, id, delivered, to };
      };
      const fail = async () => {
        throw new Error('it failed');
      };
      const dies = () => new Promise<void>(() => undefined);

      it('is delivered by one process', async () => {
        const { ours, anothers, id, delivered, to } = await decided();
        await Promise.all([ours.deliverOnce(id, to('one')), anothers.deliverOnce(id, to('two'))]);
        await anothers.deliverOnce(id, to('later'));
        expect(delivered).toEqual([expect.stringMatching(/^(one|two): approved$/)]);
        expect([await ours.undelivered(), await ours.isDelivered('auth')]).toEqual([[], true]);
      });

      it('is delivered by another process if the first one fails, or dies', async () => {
        const { ours, anothers, id, delivered, to } = await decided();
        await expect(ours.deliverOnce(id, fail)).rejects.toThrow('it failed');
        void anothers.deliverOnce(id, dies);
        const claimed = 'SELECT id FROM approval_requests WHERE claimed_until > 0';
        await expect.poll(() => opened.database.all(claimed)).toHaveLength(1);
        await ours.deliverOnce(id, to('too early'));
        expect(await ours.undelivered()).toEqual([id]);
        // As if the time of the claim had passed.
        await opened.database.run('UPDATE approval_requests SET claimed_until = 1');
        await ours.deliverOnce(id, to('ours'));
        expect(delivered).toEqual(['ours: approved']);
      });

      it('is delivered again at once by a process that is alone, whatever an earlier one claimed', async () => {
        const { ours, clock, id, delivered, to } = await decided();
        void ours.deliverOnce(id, dies);
        const claimed = 'SELECT id FROM approval_requests WHERE claimed_until > 0';
        await expect.poll(() => opened.database.all(claimed)).toHaveLength(1);
        await createApprovalRequests(opened.another, clock).deliverOnce(id, to('alone'));
        expect(delivered).toEqual(['alone: approved']);
      });
    });

    it('tells listeners in another process of each change and of the delivery', async () => {
      const { clock, ours, anothers } = start();
      const heard: string[] = [];
      const stops = [
        anothers.onChange('alice', () => heard.push('alice')),
        anothers.onChange('bob', () => heard.push('bob')),
        anothers.onAnyChange(() => heard.push('any')),
        anothers.onDelivered('auth', () => heard.push('delivered')),
        anothers.onDelivered('another', () => heard.push('another')),
      ];
      const { id } = await ours.add(asking(clock, 'auth'));
      await ours.decide(id, 'deny');
      expect(heard).toEqual(['alice', 'any', 'alice', 'any']);
      await ours.deliverOnce(id, async () => undefined);
      expect(heard.slice(4)).toEqual(['alice', 'any', 'delivered']);
      for (const stop of stops) stop();
      await ours.tell('auth', 'gateway', { state: 'executed', text: '' });
      expect(heard).toHaveLength(7);
    });
  });
}
