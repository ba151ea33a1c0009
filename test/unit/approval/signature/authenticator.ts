import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';

export type Algorithm = 'ES256' | 'EdDSA' | 'RS256';

/** What an authenticator does for once otherwise than it should. */
export interface Oddity {
  readonly challenge?: Buffer;
  readonly type?: string;
  readonly origin?: string;
  readonly crossOrigin?: boolean;
  readonly topOrigin?: string;
  readonly rpId?: string;
  readonly up?: boolean;
  readonly uv?: boolean;
  readonly be?: boolean;
  readonly bs?: boolean;
  readonly counter?: number;
  /** Registers this public key (COSE_Key) in place of its own. */
  readonly cose?: Uint8Array;
  /** Registers under this id. */
  readonly id?: Buffer;
}

/** An authenticator with a real key, which makes real assertions. */
export interface Authenticator {
  readonly credentialId: string;
  readonly publicKey: Uint8Array;
  /** COSE. */
  readonly algorithm: number;
  counter: number;
  register(challenge: string, oddity?: Oddity): RegistrationResponseJSON;
  /** @param challenge in base64url */
  assert(challenge: string, oddity?: Oddity): AuthenticationResponseJSON;
}

const coseIds: Readonly<Record<Algorithm, number>> = { ES256: -7, EdDSA: -8, RS256: -257 };

export function createAuthenticator(
  algorithm: Algorithm = 'ES256',
  place: { readonly origin: string; readonly rpId: string } = {
    origin: 'http://localhost:4747',
    rpId: 'localhost',
  },
  options: { readonly synced?: boolean; readonly counts?: boolean } = {},
): Authenticator {
  const { synced = false, counts = true } = options;
  const { privateKey, publicKey } = pairOf(algorithm);
  const cose = coseOf(algorithm, publicKey);
  const id = randomBytes(32);

  const clientData = (type: string, challenge: string, oddity: Oddity) =>
    Buffer.from(
      JSON.stringify({
        type: oddity.type ?? type,
        challenge: oddity.challenge?.toString('base64url') ?? challenge,
        origin: oddity.origin ?? place.origin,
        crossOrigin: oddity.crossOrigin ?? false,
        ...(oddity.topOrigin === undefined ? {} : { topOrigin: oddity.topOrigin }),
      }),
    );
  const data = (oddity: Oddity, attested?: Buffer) => {
    const { up = true, uv = true, be = synced, bs = synced } = oddity;
    const flags = (up ? 1 : 0) | (uv ? 4 : 0) | (be ? 8 : 0) | (bs ? 16 : 0) | (attested === undefined ? 0 : 64);
    if (counts) authenticator.counter += 1;
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(oddity.counter ?? authenticator.counter);
    const rpIdHash = createHash('sha256')
      .update(oddity.rpId ?? place.rpId)
      .digest();
    return Buffer.concat([rpIdHash, Buffer.from([flags]), counter, ...(attested === undefined ? [] : [attested])]);
  };
  const authenticator: Authenticator = {
    credentialId: id.toString('base64url'),
    publicKey: new Uint8Array(cose),
    algorithm: coseIds[algorithm],
    counter: 0,
    register(challenge, oddity = {}) {
      const { id: named = id, cose: made = cose } = oddity;
      const authData = data(oddity, Buffer.concat([Buffer.alloc(16), lengthOf(named), named, made]));
      const attestationObject = Buffer.concat([
        Buffer.from('a363666d74646e6f6e656761747453746d74a068617574684461746159', 'hex'),
        lengthOf(authData),
        authData,
      ]);
      const credentialId = named.toString('base64url');
      return {
        id: credentialId,
        rawId: credentialId,
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: clientData('webauthn.create', challenge, oddity).toString('base64url'),
          attestationObject: attestationObject.toString('base64url'),
          transports: ['internal'],
        },
      };
    },
    assert(challenge, oddity = {}) {
      const authData = data(oddity);
      const client = clientData('webauthn.get', challenge, oddity);
      const signed = Buffer.concat([authData, createHash('sha256').update(client).digest()]);
      return {
        id: authenticator.credentialId,
        rawId: authenticator.credentialId,
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          authenticatorData: authData.toString('base64url'),
          clientDataJSON: client.toString('base64url'),
          signature: sign(algorithm === 'EdDSA' ? null : 'sha256', signed, privateKey).toString('base64url'),
        },
      };
    },
  };
  return authenticator;
}

function lengthOf(bytes: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return length;
}

function pairOf(algorithm: Algorithm): { privateKey: KeyObject; publicKey: KeyObject } {
  switch (algorithm) {
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' });
    case 'EdDSA':
      return generateKeyPairSync('ed25519');
    case 'RS256':
      return generateKeyPairSync('rsa', { modulusLength: 2048 });
  }
}

/** COSE_Key (RFC 9053 §7, RFC 8230 §4), in CBOR by hand. */
function coseOf(algorithm: Algorithm, publicKey: KeyObject): Buffer {
  const { x = '', y = '', n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const bytes = (text: string) => Buffer.from(text, 'base64url');
  switch (algorithm) {
    case 'ES256':
      return Buffer.concat([
        Buffer.from('a5010203262001215820', 'hex'),
        bytes(x),
        Buffer.from('225820', 'hex'),
        bytes(y),
      ]);
    case 'EdDSA':
      return Buffer.concat([Buffer.from('a4010103272006215820', 'hex'), bytes(x)]);
    case 'RS256':
      return Buffer.concat([
        Buffer.from('a401030339010020590100', 'hex'),
        bytes(n),
        Buffer.from('2143', 'hex'),
        bytes(e),
      ]);
  }
}
