import { createHash } from 'node:crypto';
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';
import type { KeyUse, SigningKey } from '../../store/signing-key-store.ts';
import { Refusal } from '../../trading/refusal.ts';
import { defined } from '../../values/defined.ts';
import { verifyAssertion } from '../signature/verify-assertion.ts';
import type { Challenges } from './challenges.ts';
import type { KeysOptions } from './keys-port.ts';

/** What enrolling and signing have at hand. */
export interface KeyParts extends KeysOptions {
  readonly challenges: Challenges;
}

/** Milliseconds that a person has for their browser's question. */
const TIMEOUT_MS = 5 * 60_000;

/** What a browser asks one of these keys by; any discoverable one of this place where none is named. */
export function requestOptions(
  { rpId }: Pick<KeyParts, 'rpId'>,
  challenge: Buffer,
  keys: readonly SigningKey[],
): PublicKeyCredentialRequestOptionsJSON {
  return {
    challenge: challenge.toString('base64url'),
    timeout: TIMEOUT_MS,
    rpId,
    userVerification: 'required',
    allowCredentials: keys
      .filter(({ method }) => method === 'webauthn')
      .map(({ credentialId, transports }) => ({
        id: credentialId,
        type: 'public-key' as const,
        transports: transports as AuthenticatorTransports,
      })),
  };
}

type AuthenticatorTransports = NonNullable<
  NonNullable<PublicKeyCredentialRequestOptionsJSON['allowCredentials']>[number]['transports']
>;

/**
 * The key of a person's that signed a challenge drawn here, for the store to keep its counter.
 * @throws {Refusal} 403 `signature_…`
 */
export async function assertedBy(
  { store, origin, rpId, challenges }: KeyParts,
  by: { readonly sub?: string; readonly assertion: AuthenticationResponseJSON },
  about: readonly string[],
): Promise<KeyUse> {
  const { id, response } = by.assertion;
  const { counter, backedUp } = await verifyAssertion(
    {
      credentialId: id,
      authenticatorData: response.authenticatorData,
      clientDataJSON: response.clientDataJSON,
      signature: response.signature,
    },
    {
      challenge: (signed) => challenges.isFor(signed, about),
      origin,
      rpId,
      method: 'webauthn',
      ...defined({ sub: by.sub }),
    },
    store,
  );
  return { credentialId: id, counter, backedUp };
}

/** What is kept of a pairing's secret. */
export function pairingDigest(secret: string): string {
  return createHash('sha256').update(`trade-agent pairing ${secret}`).digest('base64url');
}

/** What an enrolled key's signature is for: of a new key, all of it, and not its name alone. */
export function keyAction(
  action: 'add' | 'remove',
  sub: string,
  key: string | RegistrationResponseJSON,
): readonly string[] {
  if (typeof key === 'string') return [action, sub, key];
  const made = createHash('sha256').update(key.response.attestationObject).digest('base64url');
  return [action, sub, key.id, made];
}

export function keyNotFound(): Refusal {
  return new Refusal(404, 'not_found', 'there is no such key');
}
