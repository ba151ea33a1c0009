import { describe, expect, it } from 'vitest';
import { applyCompanyRules, type CompanyRule, type ExchangeRequest } from '../../../src/sandbox/company/rules.ts';

const traders: CompanyRule = {
  client_id: 'agent',
  audience: 'https://home.example',
  resources: ['https://home.example'],
  scopes: ['portfolio:read', 'orders:propose'],
  groups: ['traders'],
};
const staff: CompanyRule = { ...traders, scopes: ['portfolio:read'], groups: ['staff'] };
const asked: ExchangeRequest = {
  clientId: 'agent',
  audience: 'https://home.example',
  resource: undefined,
  scopes: undefined,
  groups: ['staff'],
  acr: undefined,
};

describe("a company's ruling", () => {
  it('is by the first rule for one of the person’s groups, with all of its scopes where none are named', () => {
    expect(applyCompanyRules([traders, staff], asked)).toEqual({ rule: staff, scopes: ['portfolio:read'] });
    expect(applyCompanyRules([traders, staff], { ...asked, groups: ['staff', 'traders'] })).toMatchObject({
      rule: traders,
    });
  });

  it('leaves out what was asked for beyond the rule, and asks for no group where it has none', () => {
    const { groups: _, ...everybody } = traders;
    const wide = { ...asked, groups: [], scopes: ['orders:write', 'orders:propose'] };
    expect(applyCompanyRules([everybody], wide)).toMatchObject({ scopes: ['orders:propose'] });
  });

  const refusals: [string, Partial<ExchangeRequest>, CompanyRule, string][] = [
    ['another client', { clientId: 'another' }, staff, 'invalid_target'],
    ['another audience', { audience: 'https://home.example/' }, staff, 'invalid_target'],
    ['no audience', { audience: undefined }, staff, 'invalid_target'],
    ['another resource', { resource: 'https://home.example/mcp' }, staff, 'invalid_target'],
    ['nobody of its groups', { groups: [] }, staff, 'access_denied'],
    ['no scope of the rule', { scopes: ['orders:propose'] }, staff, 'invalid_scope'],
    ['a sign-in that says nothing', {}, { ...staff, acr: ['phr'] }, 'insufficient_user_authentication'],
    ['a weaker sign-in', { acr: 'pwd' }, { ...staff, acr: ['phr'] }, 'insufficient_user_authentication'],
  ];
  it.each(refusals)('refuses %s', (_, other, only, error) => {
    expect(applyCompanyRules([only], { ...asked, ...other })).toMatchObject({ error });
  });
});
