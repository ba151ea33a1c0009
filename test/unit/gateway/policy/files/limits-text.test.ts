import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { updateLimitsYaml } from '../../../../../src/gateway/policy/files/policy-service.ts';

const written = `# how far orders may go
version: 1
accounts:
  "*": {max_order_notional: "1000"}
  # alice
  PA1:
    max_order_notional: "2500" # since May
    max_day_orders: 20 # a day
    symbols: {allow: [VTI, BND]}
`;

describe('limits.yaml, changed for one account,', () => {
  it('stays as it is where nothing changes', () => {
    const limits = { max_order_notional: '2500', max_day_orders: 20, symbols: { allow: ['VTI', 'BND'] } };
    expect(updateLimitsYaml(written, 'PA1', limits)).toBe(written);
  });

  it('keeps comments and what others are held to', () => {
    const limits = { max_order_notional: '500', max_day_orders: 20, symbols: { allow: ['VTI'] } };
    const text = updateLimitsYaml(written, 'PA1', limits);
    expect(text).toContain('# how far orders may go');
    expect(text).toContain('# alice');
    expect(text).toContain('max_order_notional: "500" # since May');
    expect(text).toContain('max_day_orders: 20 # a day');
    expect(parse(text)).toEqual({
      version: 1,
      accounts: { '*': { max_order_notional: '1000' }, PA1: limits },
    });
  });

  it('has what it had not, and no longer what was taken away', () => {
    const limits = { max_day_orders: 5, hours: { zone: 'UTC', from: '09:00', to: '17:00', days: ['mon'] } };
    const text = updateLimitsYaml(written, 'PA1', limits);
    expect(parse(text).accounts.PA1).toEqual(limits);
    expect(text).not.toContain('2500');
  });

  it.each([
    ['no file', undefined],
    ['an empty one', ''],
    ['one without accounts', 'version: 1\n'],
    ['one with none', 'version: 1\naccounts: {}\n'],
    ['an account of another name', 'version: 1\naccounts: {PA2: {}}\n'],
    ['a number for a name', 'version: 1\naccounts: {12345: {max_day_orders: 3}}\n'],
    [
      'an alias',
      'version: 1\naccounts: {"*": &all {max_day_orders: 3}, PA1: *all, "12345": {max_order_notional: "7"}}\n',
    ],
  ])('says what was meant, of %s', (_, before) => {
    for (const account of ['PA1', '12345']) {
      const limits = { max_order_notional: '500', max_day_orders: 2 };
      const others = Object.entries(
        ((parse(before ?? '') as { accounts?: object } | null)?.accounts ?? {}) as object,
      ).filter(([name]) => name !== account);
      const text = updateLimitsYaml(before, account, limits);
      // The first limits also say that the other accounts have none, because accounts without an entry can't trade.
      const first = before?.includes('max_') === true ? {} : { '*': {} };
      expect(parse(text)).toEqual({
        version: 1,
        accounts: { ...first, ...Object.fromEntries(others), [account]: limits },
      });
      // Amounts stay text: a number would be refused at the next start.
      expect(text).toMatch(/max_order_notional: "500"/);
    }
  });
});
