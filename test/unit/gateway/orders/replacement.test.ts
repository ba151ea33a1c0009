import { describe, expect, it } from 'vitest';
import { alpacaTraits } from '../../../../src/gateway/broker/alpaca/traits.ts';
import { computeOrderChanges } from '../../../../src/gateway/orders/replacement.ts';
import { anOrder, anOrderDraft } from '../../../fixtures/builders.ts';

const order = anOrder({ qty: '1.5', time_in_force: 'day' });
const draft = anOrderDraft({ qty: '2' });

describe('at a broker', () => {
  it('that replaces nothing, nothing is changed, and it says so', () => {
    expect(() => computeOrderChanges(draft, order, { label: 'Acme', replaces: undefined })).toThrow(
      'nothing was changed: Acme can’t change orders',
    );
  });

  it('that replaces whole shares alone, parts of a share stay as they are', () => {
    expect(() => computeOrderChanges(draft, order, alpacaTraits)).toThrow(
      'the quantity of a fractional order can’t be changed',
    );
    expect(() => computeOrderChanges({ ...draft, qty: '1.5' }, { ...order, qty: '2' }, alpacaTraits)).toThrow(
      'fractional order',
    );
  });

  it('that replaces parts of a share, they become others; what stays is not among the changes', () => {
    expect(computeOrderChanges(draft, order, { label: 'Acme', replaces: { fractions: true } })).toEqual({
      qty: '2',
    });
  });
});
