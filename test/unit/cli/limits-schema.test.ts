import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { accountLimitsSchema, limitsSchema } from '../../../src/gateway/policy/rules.ts';
import { limitWords } from '../../../src/trading/limit-words.ts';

const file = new URL('../../../docs/reference/schema/limits.schema.json', import.meta.url);
const validate = new Ajv2020({ strict: false }).compile(JSON.parse(readFileSync(file, 'utf8')) as object);

/** As an editor would say it, and the gateway. */
const both = (account: unknown, more: object = {}) => {
  const limits = { version: 1, accounts: { '*': account }, ...more };
  return [validate(limits), limitsSchema.safeParse(limits).success];
};

describe('limits.yaml, as an editor and as the gateway take it', () => {
  it.each([
    {},
    { max_order_notional: '1000', max_day_notional: '5000.50', max_day_orders: 20 },
    { symbols: { allow: ['VTI', 'BRK.B'], deny: [] }, sides: ['buy'], types: ['limit'] },
    { hours: { from: '09:30', to: '16:00' }, live: { mandate_up_to: '200' }, deny_opposing: true },
  ])('can have %j', (account) => expect(both(account)).toEqual([true, true]));

  it.each([
    { max_ordr_notional: '1000' },
    { max_order_notional: 1000 },
    { max_order_notional: '1e3' },
    { max_day_orders: '20' },
    { max_day_orders: 0 },
    { sides: ['borrow'] },
    { hours: { from: '9:30', to: '16:00' } },
    { live: { mandates: '5' } },
    { deny_opposing: false },
  ])('can’t have %j', (account) => expect(both(account)).toEqual([false, false]));

  it('can have no key beside version and accounts', () => {
    expect(both({}, { max_day_orders: 20 })).toEqual([false, false]);
  });

  it('has a word for people for every key', () => {
    const words = new Set(Object.keys(limitWords).map((key) => key.split('.')[0]));
    expect([...words].sort()).toEqual(Object.keys(accountLimitsSchema.shape).sort());
  });
});
