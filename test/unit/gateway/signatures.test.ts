import { describe, expect, it } from 'vitest';
import type { GatewayOptions } from '../../../src/gateway/gateway-options.ts';
import { requireSignedLiveMoney, signaturesOf } from '../../../src/gateway/signatures.ts';

type Signature = 'required' | 'live' | 'off';
const keys = { check: async () => Promise.reject(new Error('not asked')) };
const optionsOf = (signature: Signature, environment: 'paper' | 'live', more: object = {}) =>
  ({ approval: { signature }, broker: { environment }, ...more }) as unknown as GatewayOptions;

describe('whether approvals are signed', () => {
  it.each<[Signature, 'paper' | 'live', boolean]>([
    ['required', 'paper', true],
    ['required', 'live', true],
    ['live', 'paper', false],
    ['live', 'live', true],
    ['off', 'paper', false],
    ['off', 'live', false],
  ])('%s with %s money: %s', (signature, environment, isSigned) => {
    expect(signaturesOf(optionsOf(signature, environment, { keys }))).toBe(isSigned ? keys : undefined);
  });

  it.each<Signature>(['required', 'live'])(
    '%s is refused where there are no keys, and says so',
    (signature) => {
      expect(() => signaturesOf(optionsOf(signature, 'paper'))).toThrow(
        expect.objectContaining({
          code: 'invalid_config',
          message: expect.stringContaining(signature),
          hint: expect.stringContaining('trade-agent home'),
        }),
      );
    },
  );

  it('is off where nobody is asked', () => {
    expect(signaturesOf({ broker: { environment: 'live' } } as unknown as GatewayOptions)).toBeUndefined();
  });

  it('a home with live money does not start without', () => {
    const settings = (environment: string, signature: Signature) =>
      ({ environment, approval: { signature } }) as Parameters<typeof requireSignedLiveMoney>[0];
    expect(() => requireSignedLiveMoney(settings('live', 'off'))).toThrow(
      expect.objectContaining({ code: 'invalid_config', hint: expect.stringContaining('required') }),
    );
    for (const one of [settings('live', 'required'), settings('live', 'live'), settings('paper', 'off')]) {
      expect(() => requireSignedLiveMoney(one)).not.toThrow();
    }
  });
});
