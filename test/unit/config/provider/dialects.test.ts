import type { ServerMetadata } from 'openid-client';
import { describe, expect, it } from 'vitest';
import {
  detectProvider,
  dialectOf,
  type ProviderName,
  providerNames,
} from '../../../../src/config/provider/dialects.ts';

/** What every dialect must keep to: a new one needs its metadata here, and runs against all of this. */
const metadata: Record<ProviderName, ServerMetadata> = {
  standard: { issuer: 'https://login.example.com', token_endpoint: 'https://login.example.com/token' },
  auth0: { issuer: 'https://acme.eu.auth0.com/', token_endpoint: 'https://acme.eu.auth0.com/oauth/token' },
  keycloak: {
    issuer: 'https://login.example.com/realms/trading',
    token_endpoint: 'https://login.example.com/realms/trading/protocol/openid-connect/token',
  },
};
const features = ['device', 'ciba', 'details', 'dpop', 'token_exchange'] as const;

describe.each(providerNames)('the dialect %s', (name) => {
  const dialect = dialectOf({ provider: name });
  const own = metadata[name];

  it('is found by its own metadata, and by no other', () => {
    expect(detectProvider(own)).toBe(name);
  });

  it('adds to the metadata, and changes nothing that is there', () => {
    expect(dialect.complete(own)).toMatchObject(own);
  });

  it('says who the user is and where tokens are for', () => {
    expect(dialect.identityScopes).toContain('openid');
    expect(Object.values(dialect.audience('https://gateway.example'))).toEqual(['https://gateway.example']);
    const person = { sub: 'sub-1', username: 'alice', email: 'alice@example.com' };
    expect(dialect.loginHint(person, own.issuer)).toMatch(/sub-1|alice/);
  });

  it('keeps the code at the end of the message', () => {
    expect(dialect.bindingMessage('BUY 5 AAPL LMT 180.00 K7QP')).toMatch(/K7QP$/);
  });

  it('lets an approval be open for a minute at least and a day at most', () => {
    expect(dialect.longestApproval).toBeGreaterThanOrEqual(60);
    expect(dialect.longestApproval).toBeLessThanOrEqual(86_400);
  });

  it('says how a server comes to act in people’s names', () => {
    expect(dialect.onBehalf.setup).toMatch(/\.$/);
    // A grant for when people are away comes by exchange only where the provider gives refresh tokens for it.
    expect(dialect.onBehalf.grantsOffline).toBe(name === 'standard');
  });

  it.each(features)('says what to set there for %s', (feature) => {
    expect(dialect.setup[feature]).toMatch(/\.$/);
  });
});
