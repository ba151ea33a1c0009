import type { SigningKey } from '../../../src/store/signing-key-store.ts';

/** The one passkey of a person, as far as what rings needs to know it. */
export function signingKey(sub: string): SigningKey {
  return {
    credentialId: `${sub}s-key`,
    sub,
    publicKey: new Uint8Array(),
    algorithm: -7,
    counter: 0,
    method: 'webauthn',
    deviceType: 'singleDevice',
    backedUp: false,
    name: 'Phone',
    transports: [],
    enrolledAt: 0,
  };
}
