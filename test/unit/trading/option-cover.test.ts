import { describe, expect, it } from 'vitest';
import { isCallOn, isPut, putCollateralDollars, usedCover } from '../../../src/trading/option-cover.ts';

const CALL = 'AAPL261218C00190000';
const PUT = 'AAPL261218P00150500';
const open = (symbol: string, side: string, qty: string, notional = '0.00') => ({
  symbol,
  side,
  qty,
  notional,
});

describe('what stands behind an option that is sold', () => {
  it('is a call’s shares, and a put’s strike in cash', () => {
    expect(isCallOn(CALL, 'AAPL')).toBe(true);
    expect(isCallOn(CALL, 'MSFT')).toBe(false);
    expect(isCallOn(PUT, 'AAPL')).toBe(false);
    expect(isPut(PUT)).toBe(true);
    expect(putCollateralDollars(PUT, '2').toFixed(2)).toBe('30100.00');
  });

  it('is taken by what is out: sales of the shares, other calls, purchases and puts', () => {
    const out = [
      open('AAPL', 'sell', '30'),
      open('AAPL', 'buy', '5', '900.50'),
      open('AAPL261120C00200000', 'sell', '1'),
      open('MSFT261218C00400000', 'sell', '1'),
      open(PUT, 'sell', '1', '120.00'),
      open('MSFT261218P00100000', 'sell', '1', '55.00'),
      open(CALL, 'buy', '2', '500.00'),
    ];
    expect(usedCover(CALL, out)).toEqual({ shares: '130', cash: '26450.50', buys: '2' });
    expect(usedCover('AAPL', out)).toBeUndefined();
    expect(usedCover('BTC/USD', out)).toBeUndefined();
  });
});
