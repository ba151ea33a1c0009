import type { ServerMetadata } from 'openid-client';
import { describe, expect, it } from 'vitest';
import { auth0Dialect } from '../../../../src/auth/provider/auth0.ts';
import { detectProvider, providerDialect } from '../../../../src/auth/provider/dialects.ts';
import { keycloakDialect } from '../../../../src/auth/provider/keycloak.ts';
import { type ProviderName, providerNames } from '../../../../src/config/provider-names.ts';

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
  const dialect = providerDialect({ provider: name });
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
    expect(dialect.maxApprovalTtl).toBeGreaterThanOrEqual(60);
    expect(dialect.maxApprovalTtl).toBeLessThanOrEqual(86_400);
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

const MESSAGE = 'SELL 1234.567890123 BRK.B STP LMT 612.00 610.00 GTC EXT H0URS K7QP';

describe('a binding message', () => {
  it.each([
    [auth0Dialect, /^[A-Za-z0-9+\-_.,:#]{1,64}$/],
    [keycloakDialect, /^[a-zA-Z0-9-._+/!?#]{1,50}$/],
  ])('for $0.label has the characters and the length it takes, and keeps its code', (dialect, allowed) => {
    for (const message of [MESSAGE, 'BUY 5 AAPL LMT 180.00 K7QP', `${'x'.repeat(200)} K7QP`, 'K7QP']) {
      expect(dialect.bindingMessage(message)).toMatch(allowed);
      expect(dialect.bindingMessage(message)).toMatch(/K7QP$/);
    }
  });

  it('says what the terminal says', () => {
    expect(keycloakDialect.bindingMessage('BUY 5 AAPL LMT 180.00 K7QP')).toBe('BUY_5_AAPL_LMT_180.00_K7QP');
  });
});
