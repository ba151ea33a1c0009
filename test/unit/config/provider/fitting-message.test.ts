import { describe, expect, it } from 'vitest';
import { auth0 } from '../../../../src/config/provider/auth0.ts';
import { keycloak } from '../../../../src/config/provider/keycloak.ts';

const MESSAGE = 'SELL 1234.567890123 BRK.B STP LMT 612.00 610.00 GTC EXT H0URS K7QP';

describe('a binding message', () => {
  it.each([
    [auth0, /^[A-Za-z0-9+\-_.,:#]{1,64}$/],
    [keycloak, /^[a-zA-Z0-9-._+/!?#]{1,50}$/],
  ])('for $0.label has the characters and the length it takes, and keeps its code', (dialect, allowed) => {
    for (const message of [MESSAGE, 'BUY 5 AAPL LMT 180.00 K7QP', `${'x'.repeat(200)} K7QP`, 'K7QP']) {
      expect(dialect.bindingMessage(message)).toMatch(allowed);
      expect(dialect.bindingMessage(message)).toMatch(/K7QP$/);
    }
  });

  it('says what the terminal says', () => {
    expect(keycloak.bindingMessage('BUY 5 AAPL LMT 180.00 K7QP')).toBe('BUY_5_AAPL_LMT_180.00_K7QP');
  });
});
