import { createHash } from 'node:crypto';
import type { RegistrationResponseJSON } from '@simplewebauthn/server';
import { failpoint } from '../../machine/failpoint.ts';
import type { AuditNote } from '../../store/audit.ts';
import type { KeyProof, SigningKey } from '../../store/signing-key-store.ts';
import { safeLine } from '../../text/shown-text.ts';
import { Refusal } from '../../trading/refusal.ts';
import { defined } from '../../values/defined.ts';
import { counterBack, refused, SIGNATURE_ALGORITHMS } from '../signature/verify-assertion.ts';
import {
  assertedBy,
  type KeyParts,
  keyAction,
  keyNotFound,
  pairingDigest,
  requestOptions,
} from './key-parts.ts';
import type { Keys } from './keys-port.ts';
import { removed } from './removal.ts';

/** UTF-16 code units of a key's name at most. */
const LONGEST_NAME = 40;
/** Milliseconds that a person has for their browser's question. */
const TIMEOUT_MS = 5 * 60_000;
/** COSE: EdDSA. */
const EDDSA = -8;

type By = Parameters<Keys['enrol']>[0];

/** How keys come and go. */
export function enrolment(parts: KeyParts) {
  const { store, clock, rpId, challenges } = parts;
  return {
    async creationOptions(by) {
      const sub = await whose(parts, by);
      const { generateRegistrationOptions } = await import('@simplewebauthn/server');
      return await generateRegistrationOptions({
        rpName: parts.rpName,
        rpID: rpId,
        userName: sub,
        userDisplayName: sub,
        userID: new Uint8Array(userHandle(parts, sub)),
        challenge: new Uint8Array(challenges.draw(creation(by, sub))),
        timeout: TIMEOUT_MS,
        attestationType: 'none',
        excludeCredentials: (await store.of(sub)).map(({ credentialId }) => ({ id: credentialId })),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        supportedAlgorithmIDs: SIGNATURE_ALGORITHMS,
      });
    },

    async enrol(by, registration, name) {
      const sub = await whose(parts, by);
      const proof: KeyProof =
        'secret' in by
          ? { pairing: pairingDigest(by.secret) }
          : { use: await assertedBy(parts, by, keyAction('add', sub, registration)) };
      const registered = await verifiedRegistration(parts, registration, creation(by, sub));
      const key: SigningKey = {
        ...registered,
        sub,
        method: 'webauthn',
        name: nameOf(name, 'Passkey'),
        enrolledAt: clock.now(),
      };
      failpoint('key.verified');
      switch (await store.enrol(key, proof, enrolled(key, proof), clock.now())) {
        case 'enrolled':
          failpoint('key.enrolled');
          return key;
        case 'known':
          throw keyKnown();
        case 'stale':
          throw 'secret' in by ? pairingEnded() : counterBack();
      }
    },

    approvalOfKey: async (sub: string, action: 'add' | 'remove', key: string | RegistrationResponseJSON) =>
      requestOptions(parts, challenges.draw(keyAction(action, sub, key)), await store.of(sub)),

    async rename(sub, credentialId, name) {
      if (await store.rename({ sub, credentialId }, nameOf(name, 'Passkey'))) return;
      throw keyNotFound();
    },

    async enrolSoftware(sub, { credentialId, publicKey }) {
      if (!parts.softwareKeys) {
        throw refused('signature_software', 'a key of the terminal phone’s does not count here');
      }
      const earlier = await store.byId(credentialId);
      if (earlier?.sub === sub) return;
      const key: SigningKey = {
        credentialId,
        publicKey,
        sub,
        algorithm: EDDSA,
        counter: 0,
        method: 'software',
        deviceType: 'singleDevice',
        backedUp: false,
        name: 'Terminal phone',
        transports: [],
        enrolledAt: clock.now(),
      };
      const outcome = await store.enrol(key, 'machine', enrolled(key, 'machine'), clock.now());
      if (outcome !== 'enrolled') throw keyKnown();
      // The secret it follows from was changed: whoever has the old one approves nothing any more.
      for (const old of await store.of(sub)) {
        if (old.method === 'webauthn' || old.credentialId === credentialId) continue;
        await store.remove(old, 'machine', removed(old, 'machine'), clock.now());
      }
    },
  } satisfies Partial<Keys>;
}

/** What the browser made, verified (WebAuthn §7.1). @throws `key_refused` */
async function verifiedRegistration(
  { origin, rpId, challenges }: KeyParts,
  registration: RegistrationResponseJSON,
  about: readonly string[],
) {
  const { verifyRegistrationResponse } = await import('@simplewebauthn/server');
  const { decodeClientDataJSON, decodeCredentialPublicKey } = await import('@simplewebauthn/server/helpers');
  try {
    const { crossOrigin = false, topOrigin } = decodeClientDataJSON(registration.response.clientDataJSON);
    if (crossOrigin || topOrigin !== undefined) throw keyRefused();
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: registration,
      expectedChallenge: (challenge) => challenges.isFor(challenge, about),
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: SIGNATURE_ALGORITHMS,
    });
    if (!verified) throw keyRefused();
    const { credential, credentialDeviceType, credentialBackedUp } = registrationInfo;
    const algorithm: unknown = decodeCredentialPublicKey(credential.publicKey).get(3);
    if (typeof algorithm !== 'number') throw keyRefused();
    return {
      credentialId: credential.id,
      publicKey: credential.publicKey,
      algorithm,
      counter: credential.counter,
      deviceType: credentialDeviceType,
      backedUp: credentialBackedUp,
      transports: (credential.transports ?? []).map((one) => safeLine(one, 16)).slice(0, 8),
    };
  } catch (cause) {
    throw cause instanceof Refusal ? cause : keyRefused(cause);
  }
}

/** @throws `pairing_ended` */
async function whose(
  parts: KeyParts,
  by: { readonly secret: string } | { readonly sub: string },
): Promise<string> {
  if ('sub' in by) return by.sub;
  const pairing = await parts.store.pairing(pairingDigest(by.secret), parts.clock.now());
  if (pairing === undefined) throw pairingEnded();
  return pairing.sub;
}

/** What the challenge of a new key is for. */
function creation(by: By | { readonly sub: string }, sub: string): readonly string[] {
  return 'secret' in by ? ['pairing', pairingDigest(by.secret)] : ['another key', sub];
}

/** By what an authenticator knows whom a key is of; says nothing to others. */
function userHandle({ gateway }: KeyParts, sub: string): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([gateway, sub]))
    .digest();
}

function enrolled(key: SigningKey, by: KeyProof): AuditNote {
  const { sub, credentialId, method, deviceType, backedUp, name } = key;
  const proof = by === 'machine' ? by : 'pairing' in by ? 'pairing' : 'key';
  return {
    event: 'key_enrolled',
    facts: {
      sub,
      credential_id: credentialId,
      method,
      device_type: deviceType,
      backed_up: backedUp,
      name,
      by: proof,
    },
  };
}

function nameOf(text: string, otherwise: string): string {
  return safeLine(text, LONGEST_NAME).trim() || otherwise;
}

function keyRefused(cause?: unknown): Refusal {
  return new Refusal(403, 'key_refused', 'the new key could not be verified', {
    hint: 'Try again. It takes a passkey that is unlocked by PIN, face or finger, made on this very page.',
    challenge: {},
    ...defined({ cause }),
  });
}

function keyKnown(): Refusal {
  return new Refusal(409, 'key_known', 'this key is, or was, enrolled here already', {
    hint: 'Use it to sign in, or enrol another.',
  });
}

function pairingEnded(): Refusal {
  return new Refusal(
    410,
    'pairing_ended',
    'this pairing was used, replaced by a newer one, or its time is over',
    {
      hint: 'Make another one with "trade-agent home pair".',
    },
  );
}
