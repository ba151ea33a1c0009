import { createHash, createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign } from 'node:crypto';
import { approvalStatement, type Evidence, statementChallenge } from './statement.ts';

/** The terminal phone's key. It signs like a passkey, but says that it is not one. */
export interface SoftwareKey {
  readonly credentialId: string;
  /** COSE_Key (RFC 9053 §7.2): Ed25519. */
  readonly publicKey: Uint8Array;
  /** @param at the origin of the page on which a passkey would have signed */
  sign(details: Readonly<Record<string, unknown>>, at: { readonly origin: string }): Evidence;
}

/** PKCS #8 of an Ed25519 key up to its 32 bytes (RFC 8410 §7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
/** `{1: 1, 3: -8, -1: 6, -2: h'…'}` up to the 32 bytes of x. */
const COSE_HEAD = Buffer.from('a4010103272006215820', 'hex');
/** User present and verified (WebAuthn §6.1): whoever has the secret needs no further verification. */
const FLAGS = 0x05;

/**
 * Returns the key of a user, always the same for the same secret.
 * @param secret known only to whoever may approve; a new secret means a new key
 */
export function softwareKey(secret: string, user: string): SoftwareKey {
  const seed = Buffer.from(hkdfSync('sha256', secret, '', `trade-agent phone key v1 ${user}`, 32));
  const privateKey = ed25519Key(seed);
  const publicKey = cosePublicKey(privateKey);
  const credentialId = createHash('sha256').update(publicKey).digest('base64url');
  return {
    credentialId,
    publicKey,
    sign(details, { origin }) {
      const statement = approvalStatement(details);
      const challenge = statementChallenge(statement).toString('base64url');
      const clientData = Buffer.from(JSON.stringify({ type: 'webauthn.get', challenge, origin, crossOrigin: false }));
      const authenticatorData = Buffer.concat([
        createHash('sha256').update(new URL(origin).hostname).digest(),
        Buffer.from([FLAGS, 0, 0, 0, 0]),
      ]);
      const signed = Buffer.concat([authenticatorData, createHash('sha256').update(clientData).digest()]);
      return {
        method: 'software',
        credential_id: credentialId,
        authenticator_data: authenticatorData.toString('base64url'),
        client_data_json: clientData.toString('base64url'),
        signature: sign(null, signed, privateKey).toString('base64url'),
        statement: { ...statement, worst_case: statement.worst_case && { ...statement.worst_case } },
      };
    },
  };
}

/** @param seed 32 bytes (RFC 8032 §5.1.5) */
export function ed25519Key(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
}

function cosePublicKey(privateKey: KeyObject): Uint8Array {
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  return new Uint8Array(Buffer.concat([COSE_HEAD, Buffer.from(x, 'base64url')]));
}
