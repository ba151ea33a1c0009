import { describe, expect, it } from 'vitest';
import { findApplicableMandates } from '../../../../src/app/mandates.ts';
import type { MandateEnvelope } from '../../../../src/trading/mandate/envelope.ts';
import type { MandateState, MandateView } from '../../../../src/trading/mandate/mandate.ts';
import { mandateTerms } from '../../../integration/sandbox/proposal-fixture.ts';

const due = Date.parse('2026-11-27T20:30:00Z');
const view = (id: string, terms: Partial<MandateEnvelope> = {}, state: MandateState = 'active'): MandateView => ({
  id,
  state,
  terms: { ...mandateTerms(), expires_at: '2026-12-25T05:00:00Z', ...terms },
  used: { total_notional: '0.00', day_notional: '0.00', orders: 0 },
  created_at: '2026-11-25T15:00:00Z',
  updated_at: '2026-11-25T15:00:00Z',
});
const ACCOUNT = mandateTerms().account;

describe('the mandates that orders of a check are proposed under', () => {
  it('are for the slot of when the check was due, however late it runs', () => {
    const { symbols, sides } = mandateTerms();
    expect(findApplicableMandates([view('M-0000000001')], ACCOUNT, due)).toEqual([
      { symbols, sides, mandate: 'M-0000000001', slot: '2026-W48' },
    ]);
    expect(findApplicableMandates([view('M-0000000001', { cadence: 'on_demand' })], ACCOUNT, due)).toEqual([
      { symbols, sides, mandate: 'M-0000000001' },
    ]);
  });

  it('begin with the one that ends first', () => {
    const sooner = view('M-0000000002', { expires_at: '2026-12-01T05:00:00Z' });
    const found = findApplicableMandates([view('M-0000000001'), sooner], ACCOUNT, due);
    expect(found.map(({ mandate }) => mandate)).toEqual(['M-0000000002', 'M-0000000001']);
  });

  it.each<[string, MandateView]>([
    ['another account', view('M-0000000001', { account: 'PA3OTHER01' })],
    ['one that is suspended', view('M-0000000001', {}, 'suspended')],
    ['one that is used up', view('M-0000000001', {}, 'exhausted')],
  ])('are none of %s', (_, mandate) => {
    expect(findApplicableMandates([mandate], ACCOUNT, due)).toEqual([]);
  });
});
