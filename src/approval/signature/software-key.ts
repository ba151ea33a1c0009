import { createHash, createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign } from 'node:crypto';
import { approvalStatement, type Evidence, statementChallenge } from './statement.ts';

/** A software key of the terminal phone. It signs like a passkey, but its evidence names the method `software`. */
export interface SoftwareKey {
  readonly credentialId: string;
  /** COSE_Key (RFC 9053 §7.2): Ed25519. */
  readonly publicKey: Uint8Array;
  /** Signs an approval as a passkey would. @param at the origin of the page on which a passkey would sign */
  sign(details: Readonly<Record<string, unknown>>, at: { readonly origin: string }): Evidence;
}

/** The bytes of a PKCS #8 Ed25519 key that precede its 32 secret bytes (RFC 8410 §7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
/** The bytes of the COSE_Key `{1: 1, 3: -8, -1: 6, -2: h'…'}` that precede the 32 bytes of x. */
const COSE_HEAD = Buffer.from('a4010103272006215820', 'hex');
/** User present and verified (WebAuthn §6.1): the secret alone counts as verification. */
const FLAGS = 0x05;

/**
 * Derives a user's key. The same secret always gives the same key.
 * @param secret known only to the people who may approve; a new secret means a new key
 */
export function deriveSoftwareKey(secret: string, user: string): SoftwareKey {
  const seed = Buffer.from(hkdfSync('sha256', secret, '', `trade-agent phone key v1 ${user}`, 32));
  const privateKey = ed25519PrivateKey(seed);
  const publicKey = cosePublicKey(privateKey);
  const credentialId = createHash('sha256').update(publicKey).digest('base64url');
  return {
    credentialId,
    publicKey,
    sign(details, { origin }) {
      const statement = approvalStatement(details, user);
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

/** Returns the private key for a seed. @param seed 32 bytes (RFC 8032 §5.1.5) */
export function ed25519PrivateKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
}

function cosePublicKey(privateKey: KeyObject): Uint8Array {
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  return new Uint8Array(Buffer.concat([COSE_HEAD, Buffer.from(x, 'base64url')]));
}
