import { describe, expect, it } from 'vitest';
import type { GatewayOptions } from '../../../src/gateway/gateway-options.ts';
import { requiredSigningKeys, requireSignedLiveApprovals } from '../../../src/gateway/signatures.ts';
import { createHome, type HomeOptions } from '../../../src/home/home.ts';

type Signature = 'required' | 'live' | 'off';
const keys = { check: async () => Promise.reject(new Error('not asked')) };
const optionsOf = (signature: Signature, environment: 'paper' | 'live', more: object = {}) =>
  ({ approval: { signature }, environment, ...more }) as unknown as GatewayOptions;

describe('whether approvals are signed', () => {
  it.each<[Signature, 'paper' | 'live', boolean]>([
    ['required', 'paper', true],
    ['required', 'live', true],
    ['live', 'paper', false],
    ['live', 'live', true],
    ['off', 'paper', false],
    ['off', 'live', false],
  ])('%s with %s money: %s', (signature, environment, isSigned) => {
    expect(requiredSigningKeys(optionsOf(signature, environment, { keys }))).toBe(isSigned ? keys : undefined);
  });

  it.each<Signature>(['required', 'live'])('%s is refused where there are no keys, and says so', (signature) => {
    expect(() => requiredSigningKeys(optionsOf(signature, 'paper'))).toThrow(
      expect.objectContaining({
        code: 'invalid_config',
        message: expect.stringContaining(signature),
        hint: expect.stringContaining('trade-agent home'),
      }),
    );
  });

  it('is off where nobody is asked', () => {
    expect(requiredSigningKeys({ environment: 'live' } as unknown as GatewayOptions)).toBeUndefined();
  });

  it('a home is not made without where money is live', async () => {
    const options = { address: 'https://home.example', stores: {}, gateway: optionsOf('off', 'live') };
    await expect(createHome(options as unknown as HomeOptions)).rejects.toMatchObject({
      code: 'invalid_config',
      hint: expect.stringContaining('signature: required'),
    });
  });

  it('a home with live money does not start without', () => {
    expect(() => requireSignedLiveApprovals(optionsOf('off', 'live'))).toThrow(
      expect.objectContaining({ code: 'invalid_config', hint: expect.stringContaining('required') }),
    );
    for (const one of [optionsOf('required', 'live'), optionsOf('live', 'live'), optionsOf('off', 'paper')]) {
      expect(() => requireSignedLiveApprovals(one)).not.toThrow();
    }
  });
});
