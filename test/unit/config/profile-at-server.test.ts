import { describe, expect, it } from 'vitest';
import { configSchema } from '../../../src/config/profile.ts';
import { findProfile, resolveProfile } from '../../../src/config/resolve-profile.ts';

const server = 'https://agents.example';
const told = {
  issuer: 'https://id.example',
  audience: 'https://agents.example/',
  provider: 'keycloak',
  login_client: { client_id: 'people' },
  environment: 'paper',
} as const;
const config = (work: object) => configSchema.parse({ profiles: { work } });

describe('a profile with a server', () => {
  it('has it for a gateway, and the rest from what it says of itself', () => {
    expect(resolveProfile(config({ server: `${server}/` }), 'work', undefined, told)).toMatchObject({
      gateway: server,
      issuer: 'https://id.example',
      audience: 'https://agents.example/',
      provider: 'keycloak',
      login_client: { client_id: 'people' },
      credential_store: 'keychain',
    });
  });

  it('has its own word go before the server’s', () => {
    const own = {
      server,
      issuer: 'https://own.example',
      login_client: { client_id: 'own' },
      audience: 'urn:own',
    };
    expect(resolveProfile(config(own), 'work', undefined, told)).toMatchObject({
      issuer: 'https://own.example',
      login_client: { client_id: 'own' },
      audience: 'urn:own',
    });
  });

  it.each([
    ['a gateway too', { server, gateway: 'https://gw.example' }, /both a server and a gateway/],
    ['a sandbox too', { server, sandbox: true }, /both a server and a sandbox/],
    ['no TLS', { server: 'http://agents.example' }, /server must be an https address/],
  ])('is refused with %s', (_, work, message) => {
    expect(() => resolveProfile(config(work), 'work', undefined, told)).toThrow(message);
  });

  it('is no sandbox for being called so', () => {
    expect(findProfile(configSchema.parse({ profiles: { sandbox: { server } } }), 'sandbox').sandbox).toBe(false);
  });
});
