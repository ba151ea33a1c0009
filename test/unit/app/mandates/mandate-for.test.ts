import { describe, expect, it } from 'vitest';
import { mandateFor } from '../../../../src/app/mandates/mandate-for.ts';
import type { MandateEnvelope } from '../../../../src/trading/mandate/envelope.ts';
import type { MandateState, MandateView } from '../../../../src/trading/mandate/mandate.ts';
import { mandateTerms } from '../../../integration/sandbox/proposal-fixture.ts';

const due = Date.parse('2026-11-27T20:30:00Z');
const view = (
  id: string,
  terms: Partial<MandateEnvelope> = {},
  state: MandateState = 'active',
): MandateView => ({
  id,
  state,
  terms: { ...mandateTerms(), expires_at: '2026-12-25T05:00:00Z', ...terms },
  used: { total_notional: '0.00', day_notional: '0.00', orders: 0 },
  created_at: '2026-11-25T15:00:00Z',
  updated_at: '2026-11-25T15:00:00Z',
});
const ACCOUNT = mandateTerms().account;
const buy = { symbol: 'AAPL', side: 'buy' } as const;

describe('the mandate that an order of a check is proposed under', () => {
  it('is for the slot of when the check was due, however late it runs', () => {
    expect(mandateFor([view('M-0000000001')], ACCOUNT, due)(buy)).toEqual({
      mandate: 'M-0000000001',
      slot: '2026-W48',
    });
    expect(mandateFor([view('M-0000000001', { cadence: 'on_demand' })], ACCOUNT, due)(buy)).toEqual({
      mandate: 'M-0000000001',
    });
  });

  it('is the one that ends first, of those for its symbol and side', () => {
    const sooner = view('M-0000000002', { expires_at: '2026-12-01T05:00:00Z' });
    expect(mandateFor([view('M-0000000001'), sooner], ACCOUNT, due)(buy)?.mandate).toBe('M-0000000002');
  });

  it.each<[string, MandateView, { symbol: string; side: 'buy' | 'sell' }]>([
    ['another symbol', view('M-0000000001'), { symbol: 'KO', side: 'buy' }],
    ['the other side', view('M-0000000001'), { symbol: 'AAPL', side: 'sell' }],
    ['another account', view('M-0000000001', { account: 'PA3OTHER01' }), buy],
    ['one that is suspended', view('M-0000000001', {}, 'suspended'), buy],
    ['one that is used up', view('M-0000000001', {}, 'exhausted'), buy],
  ])('is none of %s', (_, mandate, order) => {
    expect(mandateFor([mandate], ACCOUNT, due)(order)).toBeUndefined();
  });
});
