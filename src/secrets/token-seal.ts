import { hkdfSync } from 'node:crypto';
import { TradeAgentError } from '../errors/errors.ts';
import { openBytes, sealBytes } from './aes-gcm.ts';

/** Seals secrets for database rows. `context` identifies the row, so that a secret can't be opened in another row. */
export type TokenSeal = ReturnType<typeof createTokenSeal>;

/**
 * The gateway's secret, or several with the newest first. Values are sealed with the newest secret. Values that were
 * sealed with an older secret can still be opened.
 */
export type SealSecrets = string | Buffer | readonly [string, ...string[]];

const REPLACED_HINT = 'Was seal.key in the gateway’s folder replaced?';

/** Returns all secrets, newest first. */
export function toSecretList(secrets: SealSecrets): readonly [string | Buffer, ...string[]] {
  return typeof secrets === 'string' || Buffer.isBuffer(secrets) ? [secrets] : secrets;
}

/** Purposes of a seal. Each has its own key, so that a secret sealed for one purpose can't be opened for another. */
const purposes = {
  approval_token: {
    info: 'trade-agent approval token v1',
    lost: 'a stored approval cannot be decrypted',
    hint: `${REPLACED_HINT} Create the proposal again.`,
  },
  auth_req_id: {
    info: 'trade-agent question v1',
    lost: 'the ID of an approval request cannot be decrypted',
    hint: `${REPLACED_HINT} Restore the old file: without it, open approval requests can't be checked.`,
  },
  broker_key: {
    info: 'trade-agent broker key v1',
    lost: 'a stored key pair of a brokerage account cannot be decrypted',
    hint: `${REPLACED_HINT} Enter the key pair again with "trade-agent home broker".`,
  },
} as const;

/** Returns a seal: AES-256-GCM with a key derived (HKDF-SHA256, RFC 5869) from one of the gateway's secrets. */
export function createTokenSeal(secrets: SealSecrets, purpose: keyof typeof purposes = 'approval_token') {
  const { info, lost, hint } = purposes[purpose];
  const keyOf = (secret: string | Buffer) => Buffer.from(hkdfSync('sha256', secret, '', info, 32));
  const [newest, ...older] = toSecretList(secrets);
  const key = keyOf(newest);
  const keys = [key, ...older.map(keyOf)];
  return {
    seal: (token: string, context: string): Buffer => sealBytes(key, Buffer.from(token), context),
    /** Decrypts a value. @throws {TradeAgentError} `state_corrupt` if none of the secrets decrypts the value */
    open(sealed: Buffer, context: string): string {
      for (const one of keys) {
        try {
          return openBytes(one, sealed, context).toString('utf8');
        } catch {
          // The value was sealed with another secret.
        }
      }
      throw new TradeAgentError('state_corrupt', lost, { hint });
    },
  };
}
