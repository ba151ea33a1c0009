import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computeGreeks, type OptionTerms, optionValue } from '../../../src/sandbox/instruments/option-prices.ts';
import { always } from '../../fixtures/always.ts';

describe('what an option is worth', () => {
  it('is what Hull reckons ("Options, Futures, and Other Derivatives", example 15.6)', () => {
    const terms = { spot: 42, strike: 40, years: 0.5, rate: 0.1, volatility: 0.2 };
    expect(optionValue({ ...terms, right: 'call' })).toBeCloseTo(4.76, 2);
    expect(optionValue({ ...terms, right: 'put' })).toBeCloseTo(0.81, 2);
  });

  it('has the greeks that Hull reckons (examples 19.1, 19.2, 19.4, 19.6, 19.7)', () => {
    const terms = { spot: 49, strike: 50, years: 0.3846, rate: 0.05, volatility: 0.2 };
    const { delta, theta, gamma, vega, rho } = computeGreeks({ ...terms, right: 'call' });
    expect(delta).toBeCloseTo(0.522, 3);
    expect(theta * 365).toBeCloseTo(-4.31, 2);
    expect(gamma).toBeCloseTo(0.066, 3);
    expect(vega * 100).toBeCloseTo(12.1, 1);
    expect(rho * 100).toBeCloseTo(8.91, 2);
  });

  const terms = fc.record({
    spot: fc.double({ min: 5, max: 500, noNaN: true }),
    strike: fc.double({ min: 5, max: 500, noNaN: true }),
    years: fc.double({ min: 0.01, max: 1, noNaN: true }),
    rate: fc.constantFrom(0, 0.04),
    volatility: fc.double({ min: 0.1, max: 0.8, noNaN: true }),
  });

  it('keeps put-call parity, and is never below what exercising a call would bring', () => {
    always(terms, (each) => {
      const value = (right: OptionTerms['right']) => optionValue({ ...each, right });
      const forward = each.spot - each.strike * Math.exp(-each.rate * each.years);
      expect(value('call') - value('put')).toBeCloseTo(forward, 3);
      expect(value('call')).toBeGreaterThan(Math.max(0, each.spot - each.strike) - 1e-3);
    });
  });

  it('is at expiry what exercising brings', () => {
    const over = { spot: 42, strike: 40, years: 0, rate: 0.04, volatility: 0.3 };
    expect(optionValue({ ...over, right: 'call' })).toBe(2);
    expect(optionValue({ ...over, right: 'put' })).toBe(0);
    expect(computeGreeks({ ...over, right: 'call' }).delta).toBe(1);
  });
});
