import { expect, it } from 'vitest';
import { createMandateService } from '../../../../src/gateway/mandates/mandate-service.ts';
import { mandateTerms } from '../../../integration/sandbox/proposal-fixture.ts';

const last = { outcome: 'ordered', at: '2026-11-30T15:00:00.000Z', proposal: 'pr_1' } as const;

/** The desk of somebody whose standing order was placed last by this proposal. */
const deskWith = (proposal: { state: string; reason?: { code: string; text: string } } | undefined) =>
  createMandateService({
    mandates: {
      find: async () => ({
        id: 'M-1',
        sub: 'alice',
        terms: {
          ...mandateTerms(),
          standing: { order: {}, when: { every: 'monday', at: '10:00' } },
          expires_at: '2026-12-20T00:00:00Z',
        },
        used: { total_notional: '0', day_notional: '0', orders: 0 },
        state: 'active',
        createdAt: 0,
        updatedAt: 0,
      }),
    },
    standing: { find: async () => ({ state: 'watching', dueAt: Date.parse('2026-12-07T15:00:00Z'), last }) },
    proposals: { get: async () => proposal },
    now: () => Date.parse('2026-12-01T12:00:00Z'),
    noted: () => undefined,
  } as unknown as Parameters<typeof createMandateService>[0]);

it.each([
  ['executed', undefined, last],
  ['executing', undefined, last],
  [
    'expired',
    { code: 'approval_expired', text: 'its time ran out' },
    { ...last, outcome: 'refused', code: 'approval_expired', text: 'its time ran out' },
  ],
  [
    'blocked',
    { code: 'broker_rejected', text: 'the broker said no' },
    { ...last, outcome: 'refused', code: 'broker_rejected', text: 'the broker said no' },
  ],
])('of a standing order whose latest is %s that is told', async (state, reason, told) => {
  const { standing } = await deskWith({ state, ...(reason === undefined ? {} : { reason }) }).find('alice', 'M-1');
  expect(standing).toEqual({ state: 'watching', next_at: '2026-12-07T15:00:00.000Z', last: told });
});
