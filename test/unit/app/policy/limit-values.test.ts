import { describe, expect, it } from 'vitest';
import { applyLimitChanges } from '../../../../src/app/policy/set-policy.ts';
import { accountLimitsSchema } from '../../../../src/gateway/policy/rules.ts';

const limits = { max_order_notional: '1000', symbols: { allow: ['VTI'], deny: ['GME'] } };
const set = (...pairs: string[]) => applyLimitChanges(limits, pairs, accountLimitsSchema);

describe('limits that are set by KEY=VALUE', () => {
  it.each<[string, object]>([
    ['max_order_notional=500', { max_order_notional: '500' }],
    ['max_order_notional=500.50', { max_order_notional: '500.50' }],
    ['max_day_orders=20', { max_day_orders: 20 }],
    ['max_position_weight=0.25', { max_position_weight: '0.25' }],
    ['symbols.allow=VTI,BND', { symbols: { allow: ['VTI', 'BND'], deny: ['GME'] } }],
    ['symbols.allow=', { symbols: { allow: [], deny: ['GME'] } }],
    ['sides=buy', { sides: ['buy'] }],
    ['asset_classes=us_equity,crypto', { asset_classes: ['us_equity', 'crypto'] }],
    ['types=limit, stop_limit', { types: ['limit', 'stop_limit'] }],
    ['live.mandate_up_to=200', { live: { mandate_up_to: '200' } }],
    ['deny_opposing=true', { deny_opposing: true }],
    ['max_day_messages=9', { max_day_messages: 9 }],
    ['message_recipients+=gmail:Bob+x@example.com', { message_recipients: ['gmail:Bob+x@example.com'] }],
    ['symbols.deny+=AMC,GME', { symbols: { allow: ['VTI'], deny: ['AMC', 'GME'] } }],
    ['symbols.deny-=GME', { symbols: { allow: ['VTI'], deny: [] } }],
    ['symbols.deny-=AMC', {}],
    ['own_words=true', { own_words: true }],
    ['number_matching_above=250', { number_matching_above: '250' }],
  ])('take %s', (pair, changed) => {
    expect(set(pair)).toEqual({ ...limits, ...changed });
  });

  it('take what goes together in several', () => {
    expect(set('hours.from=09:30', 'hours.to=16:00', 'hours.days=mon,fri')).toEqual({
      ...limits,
      hours: { from: '09:30', to: '16:00', days: ['mon', 'fri'] },
    });
  });

  it('are taken away by "none", with what they stood in where nothing is left of it', () => {
    expect(set('max_order_notional=none')).toEqual({ symbols: limits.symbols });
    expect(set('symbols.deny=none')).toEqual({ ...limits, symbols: { allow: ['VTI'] } });
    expect(set('symbols.deny=none', 'symbols.allow=none')).toEqual({ max_order_notional: '1000' });
  });

  it.each([
    ['max_ordr_notional=500', 'there is no limit "max_ordr_notional"', 'max_order_notional'],
    ['500', 'is not a limit setting', 'KEY=VALUE'],
    ['max_order_notional=-5', 'max_order_notional can’t be "-5"', 'POLICY.md'],
    ['max_order_notional=many', 'max_order_notional can’t be "many"', 'POLICY.md'],
    ['max_day_orders=2.5', 'max_day_orders can’t be "2.5"', 'POLICY.md'],
    ['message_recipients+=bob@example.com', 'message_recipients can’t be "bob@example.com"', 'POLICY.md'],
    ['message_recipients+=gmail:bob@Example.com', 'must be recipients such as gmail:bob@example.com', 'POLICY.md'],
    ['message_recipients+=slack:#Tr\u0430ding', 'must be recipients such as', 'POLICY.md'],
    ['max_order_notional+=5', 'max_order_notional can’t be "5"', 'POLICY.md'],
    ['sides=borrow', 'sides can’t be "borrow"', 'POLICY.md'],
    ['hours.from=09:30', "can't be combined", 'POLICY.md'],
    ['version=2', 'there is no limit "version"', 'Limits: max_order_notional'],
  ])('are refused as %s', (pair, message, hint) => {
    expect(() => set(pair)).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: expect.stringContaining(message.replaceAll('’', "'")),
        hint: expect.stringContaining(hint),
      }),
    );
  });
});
