import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  approvalCode,
  buildBindingMessage,
  buildTradeOrderDetails,
  differingFields,
  orderBindingText,
  orderDigest,
  toCanonicalJson,
  tradeOrderDetailsSchema,
} from '../../../src/trading/approval-details.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import { always } from '../../fixtures/always.ts';
import { anOrderDraft } from '../../fixtures/builders.ts';

const draft = anOrderDraft({
  limit_price: '180',
  reference_price: '181.20',
  client_order_id: 'ta-0123456789',
  expires_at: '2026-11-24T23:30:00Z',
});
const gateway = 'http://127.0.0.1:4711';

describe('an order’s canonical form', () => {
  it('is RFC 8785: sorted keys, no spaces, every amount written one way', () => {
    expect(toCanonicalJson({ ...draft, qty: '5.00', limit_price: '180.0', max_slippage: '0.010' })).toBe(
      '{"account":"PA3ALICE01","client_order_id":"ta-0123456789","environment":"paper","expires_at":"2026-11-24T23:30:00Z",' +
        '"extended_hours":false,"limit_price":"180.00","max_slippage":"0.01","qty":"5","reference_price":"181.20",' +
        '"side":"buy","symbol":"AAPL","time_in_force":"day","type":"limit"}',
    );
  });

  it('has the digest that any SHA-256 of that text has', async () => {
    const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(toCanonicalJson(draft)));
    expect(orderDigest(draft)).toBe(Buffer.from(bytes).toString('base64url'));
  });

  it('does not depend on how the order was written down', () => {
    const entries = Object.entries(draft);
    always(fc.shuffledSubarray(entries, { minLength: entries.length }), (shuffled) => {
      expect(orderDigest(Object.fromEntries(shuffled) as OrderDraft)).toBe(orderDigest(draft));
    });
  });

  it('is refused for an order that breaks a rule', () => {
    expect(() => toCanonicalJson({ ...draft, limit_price: '180.001' })).toThrow();
    expect(() => toCanonicalJson({ ...draft, notional: '10' })).toThrow();
  });
});

describe('the approval code', () => {
  it('is the first 20 bits of the digest in Crockford’s base 32', () => {
    // 0x00443 = 00000 00001 00010 00011, and 0xfffff = four times 31.
    expect(approvalCode(Buffer.from([0x00, 0x44, 0x30, 0xff]).toString('base64url'))).toBe('0123');
    expect(approvalCode(Buffer.from([0xff, 0xff, 0xff]).toString('base64url'))).toBe('ZZZZ');
  });
});

describe('authorization details of an order', () => {
  it('carry every field of the order, its digest and its identifier', () => {
    const details = buildTradeOrderDetails(draft, { gateway });
    expect(tradeOrderDetailsSchema.parse(details)).toEqual(details);
    expect(details).toMatchObject({
      type: 'trade_order',
      order_type: 'limit',
      locations: [gateway],
      actions: ['place'],
      identifier: draft.client_order_id,
      qty: '5',
      limit_price: '180.00',
      digest: orderDigest(draft),
    });
    expect(details).not.toHaveProperty('code');
    expect(buildTradeOrderDetails(draft, { gateway, code: '7K3M' })).toEqual({ ...details, code: '7K3M' });
  });

  it('differ by name where a field is changed, added or left out', () => {
    const details = buildTradeOrderDetails(draft, { gateway });
    expect(differingFields(details, { ...details })).toEqual([]);
    const differ = (other: object) => differingFields(details, other as typeof details);
    expect(differ({ ...details, qty: '6', stop_price: '1.00' })).toEqual(['qty', 'stop_price']);
    const { limit_price: _, ...rest } = details;
    expect(differ(rest)).toEqual(['limit_price']);
    expect(differ({ ...details, locations: [gateway, 'http://elsewhere'] })).toEqual(['locations']);
  });
});

describe('the binding message', () => {
  it('is short, in the provider’s character set, and leaves room for the code', () => {
    expect(orderBindingText(draft)).toBe('BUY 5 AAPL LMT 180.00');
    expect(buildBindingMessage('BUY 5 AAPL LMT 180.00', '7K3M')).toBe('BUY 5 AAPL LMT 180.00 7K3M');
    const long = orderBindingText({
      ...draft,
      qty: '999999',
      symbol: 'ABCDEFGHIJ.WXYZ',
      type: 'stop_limit',
      limit_price: '99999999999999999.99',
      stop_price: '99999999999999999.99',
    });
    expect(long.length).toBeLessThanOrEqual(59);
    expect(long).toMatch(/^[A-Za-z0-9 +\-_.,:#]+$/);
  });
});
