import { randomBytes } from 'node:crypto';
import { createChallenges } from './challenges.ts';
import { enrolment } from './enrolment.ts';
import { pairingDigest } from './key-parts.ts';
import type { Keys, KeysOptions } from './keys-port.ts';
import { removal } from './removal.ts';
import { signing } from './signing.ts';

export type { ApprovalOptions, Keys, KeysOptions } from './keys-port.ts';

const PAIRING_MS = 10 * 60_000;
const SECRET_BYTES = 32;

export function createKeys(options: KeysOptions): Keys {
  const { store, clock } = options;
  const parts = { ...options, challenges: createChallenges(clock) };
  return {
    site: { origin: options.origin, rpId: options.rpId },
    async pair(sub) {
      const secret = randomBytes(SECRET_BYTES).toString('base64url');
      const expiresAt = clock.now() + PAIRING_MS;
      await store.pair({ digest: pairingDigest(secret), sub, expiresAt });
      return { secret, expiresAt };
    },
    pairing: (secret) => store.pairing(pairingDigest(secret), clock.now()),
    list: (sub) => store.of(sub),
    ...enrolment(parts),
    ...removal(parts),
    ...signing(parts),
  };
}
