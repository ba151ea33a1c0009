import { describe, expect, it } from 'vitest';
import type { ApprovalRequest } from '../../../../src/home/identity-provider/approval-requests.ts';
import { createApprovalSteps } from '../../../../src/home/phone/decision/approval-steps.ts';
import { proposalDetails } from '../../../integration/sandbox/proposal-fixture.ts';
import { VirtualClock } from '../../../virtual-clock.ts';
import { homeDatabaseForEach, type OpenHomeDatabase } from './open-home-database.ts';

export function approvalStepsContract(open: OpenHomeDatabase): void {
  describe('the steps before an approval', () => {
    const opened = homeDatabaseForEach(open);

    const start = () => {
      const clock = new VirtualClock();
      const [ours, anothers] = [opened.database, opened.another].map((database) =>
        createApprovalSteps({ database, clock, numberMatching: 'always' }),
      ) as [ReturnType<typeof createApprovalSteps>, ReturnType<typeof createApprovalSteps>];
      return { clock, ours, anothers, approver: { user: 'alice', session: 's', signedInAt: clock.now() } };
    };
    const request = (id: string) =>
      ({ id, code: 'K7QP', status: 'denied', details: proposalDetails('order') }) as unknown as ApprovalRequest;
    const pick = (match: string) => ({ match, confirm: undefined });

    it('draw a session’s codes once, even if two processes show the card at once', async () => {
      const { ours, anothers } = start();
      for (const id of ['r1', 'r2', 'r3']) {
        const [here, there] = await Promise.all([ours.codes(request(id), 's'), anothers.codes(request(id), 's')]);
        expect(there).toEqual(here);
        expect(here).toHaveLength(3);
        expect(here).toContain('K7QP');
        expect(await anothers.codes(request(id), 's')).toEqual(here);
      }
    });

    it('count wrong codes over all processes: the second one ends it', async () => {
      const { ours, anothers, approver } = start();
      const results = await Promise.all([
        ours.take(request('r1'), approver, pick('XXXX')),
        anothers.take(request('r1'), { ...approver, session: 'another' }, pick('YYYY')),
      ]);
      expect(results.map((step) => step?.code).sort()).toEqual(['wrong_code', 'wrong_code_too_often']);
      expect(await ours.take(request('r1'), approver, pick('K7QP'))).toMatchObject({ code: 'wrong_code_too_often' });
      expect(await anothers.whyDenied(request('r1'))).toContain('twice');
      expect(await anothers.whyDenied(request('r2'))).toBeUndefined();
    });

    it('know in every process which session has picked the right code', async () => {
      const { ours, anothers, approver } = start();
      expect(await anothers.check(request('r1'), approver)).toMatchObject({ code: 'no_code' });
      expect(await ours.take(request('r1'), approver, pick('K7QP'))).toBeUndefined();
      expect(await anothers.check(request('r1'), approver)).toBeUndefined();
      expect(await anothers.check(request('r1'), { ...approver, session: 'another' })).toMatchObject({
        code: 'no_code',
      });
    });

    describe('where the code has to be typed, whatever the home’s setting is', () => {
      const typedStart = () => {
        const clock = new VirtualClock();
        const steps = [opened.database, opened.another].map((database) =>
          createApprovalSteps({ database, clock, numberMatching: 'off' }),
        ) as [ReturnType<typeof createApprovalSteps>, ReturnType<typeof createApprovalSteps>];
        return { steps, approver: { user: 'alice', session: 's', signedInAt: clock.now() } };
      };
      const typed = (id: string) => ({ ...request(id), details: proposalDetails('order', { code_entry: 'typed' }) });

      it('offer no codes to pick from, and let nothing pass without the code', async () => {
        const { steps, approver } = typedStart();
        expect(await steps[0].codes(typed('r1'), 's')).toBe('typed');
        expect(await steps[0].check(typed('r1'), approver)).toMatchObject({ code: 'no_code', title: 'Type the code' });
        for (const match of [undefined, '']) {
          expect(await steps[0].take(typed('r1'), approver, { match, confirm: undefined })).toMatchObject({
            code: 'no_code',
          });
        }
      });

      it('take the code as people type it, in the session that typed it', async () => {
        for (const [at, match] of ['K7QP', ' k7qp ', 'k7-qp'].entries()) {
          const { steps, approver } = typedStart();
          expect(await steps[0].take(typed(`ok${at}`), approver, pick(match))).toBeUndefined();
          expect(await steps[1].check(typed(`ok${at}`), approver)).toBeUndefined();
          const another = { ...approver, session: 'another' };
          expect(await steps[1].check(typed(`ok${at}`), another)).toMatchObject({ code: 'no_code' });
        }
      });

      it('count wrong codes over all processes: the third one ends it, and the right one is too late', async () => {
        const { steps, approver } = typedStart();
        const wrong = ['0000', 'K7Q', 'K7QPP'];
        const results = await Promise.all(
          wrong.map((match, at) => steps[at % 2 === 0 ? 0 : 1].take(typed('r1'), approver, pick(match))),
        );
        expect(results.map((step) => step?.code).sort()).toEqual(['wrong_code', 'wrong_code', 'wrong_code_too_often']);
        expect(await steps[0].take(typed('r1'), approver, pick('K7QP'))).toMatchObject({
          code: 'wrong_code_too_often',
        });
        expect(await steps[1].whyDenied(typed('r1'))).toContain('three times');
      });
    });

    it('forget codes that were drawn long ago', async () => {
      const { ours, clock } = start();
      await ours.codes(request('r1'), 's');
      clock.advance(3 * 24 * 3600 * 1000);
      await ours.codes(request('r2'), 's');
      expect(await opened.another.all('SELECT request FROM code_choices')).toEqual([{ request: 'r2' }]);
    });
  });
}
