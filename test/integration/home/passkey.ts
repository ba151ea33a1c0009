import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';

const [UP, UV, BE, BS, AT] = [0x01, 0x04, 0x08, 0x10, 0x40];
const sha256 = (data: Buffer | string) => createHash('sha256').update(data).digest();

export type Passkey = ReturnType<typeof createPasskey>;

/**
 * A passkey without a browser (ES256, attestation "none"): for tests of what is said over HTTP. What a real browser does
 * is tested with Chromium, see phone-browser.ts.
 */
export function createPasskey(
  origin: string,
  { isVerified = true, isSynced = false }: { isVerified?: boolean; isSynced?: boolean } = {},
) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const id = randomBytes(16);
  let counter = 0;
  let userHandle = '';

  const flags = UP | (isVerified ? UV : 0) | (isSynced ? BE | BS : 0);
  const authenticatorData = (more: number, rest: Buffer = Buffer.alloc(0)) => {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(isSynced ? 0 : ++counter);
    return Buffer.concat([sha256(new URL(origin).hostname), Buffer.from([flags | more]), count, rest]);
  };
  const clientData = (type: string, challenge: string) =>
    Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
  const credential = {
    id: id.toString('base64url'),
    rawId: id.toString('base64url'),
    type: 'public-key' as const,
    clientExtensionResults: {},
  };

  return {
    id: credential.id,
    create({ challenge, user }: PublicKeyCredentialCreationOptionsJSON): RegistrationResponseJSON {
      userHandle = user.id;
      const cose = Buffer.concat([
        Buffer.from('a5010203262001215820', 'hex'),
        Buffer.from(x, 'base64url'),
        Buffer.from('225820', 'hex'),
        Buffer.from(y, 'base64url'),
      ]);
      const data = authenticatorData(
        AT,
        Buffer.concat([Buffer.alloc(16), Buffer.from([0, id.length]), id, cose]),
      );
      const attestation = Buffer.concat([
        Buffer.from('a363666d74646e6f6e656761747453746d74a068617574684461746158', 'hex'),
        Buffer.from([data.length]),
        data,
      ]);
      return {
        ...credential,
        response: {
          clientDataJSON: clientData('webauthn.create', challenge).toString('base64url'),
          attestationObject: attestation.toString('base64url'),
          transports: ['internal'],
        },
      };
    },
    get({ challenge }: PublicKeyCredentialRequestOptionsJSON): AuthenticationResponseJSON {
      const data = authenticatorData(0);
      const client = clientData('webauthn.get', challenge);
      return {
        ...credential,
        response: {
          clientDataJSON: client.toString('base64url'),
          authenticatorData: data.toString('base64url'),
          signature: sign('sha256', Buffer.concat([data, sha256(client)]), privateKey).toString('base64url'),
          userHandle,
        },
      };
    },
  };
}
