import { expect, it } from 'vitest';
import { signInProfile } from '../../../../src/auth/company/sign-in-profile.ts';
import { type Config, configSchema } from '../../../../src/config/profile.ts';
import { resolveProfile } from '../../../../src/config/resolve-profile.ts';

const config = (more: object): Config =>
  configSchema.parse({
    profiles: {
      work: {
        ...{ issuer: 'https://home.example', gateway: 'https://home.example', provider: 'keycloak' },
        ...{ login_client: { client_id: 'trade-agent' }, credential_store: 'file' },
        ...more,
      },
    },
  });
const company = { issuer: 'https://login.acme.example', client_id: 'agent' };

it('who signs in by a company does so there, as its client; whatever the home is like says nothing of the company', () => {
  const profile = resolveProfile(config({ company }), 'work');
  expect(signInProfile(profile)).toMatchObject({
    issuer: company.issuer,
    login_client: { client_id: 'agent' },
    gateway: 'https://home.example',
    name: 'work',
  });
  expect(signInProfile(profile)).not.toHaveProperty('provider');
  expect(profile).toMatchObject({
    issuer: 'https://home.example',
    login_client: { client_id: 'trade-agent' },
  });
});

it('who signs in by none does so at the home', () => {
  const profile = resolveProfile(config({}), 'work');
  expect(signInProfile(profile)).toBe(profile);
});

it.each([
  [
    'is asked in the clear',
    { company: { ...company, issuer: 'http://login.acme.example' } },
    /must be an https address/,
  ],
  [
    'stands beside a server',
    { company, server: 'https://agents.example', gateway: undefined },
    /both a server and a company/,
  ],
])('a profile whose company %s is refused', (_, more, message) => {
  expect(() => resolveProfile(config(more), 'work')).toThrow(message);
});
