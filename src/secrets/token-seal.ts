import { hkdfSync } from 'node:crypto';
import { TradeAgentError } from '../errors/errors.ts';
import { openBytes, sealBytes } from './aes-gcm.ts';

/** Seals a secret for its row. `context` binds it to that row: moved to another, it does not open. */
export type TokenSeal = ReturnType<typeof createTokenSeal>;

/** What only the gateway has: one secret, or the newest first, by which is sealed, and those from before it. */
export type SealSecrets = string | Buffer | readonly [string, ...string[]];

const REPLACED = 'Was seal.key in the gateway’s folder replaced?';

/** All of them, the newest first. */
export function eachSecret(secrets: SealSecrets): readonly [string | Buffer, ...string[]] {
  return typeof secrets === 'string' || Buffer.isBuffer(secrets) ? [secrets] : secrets;
}

/** What is sealed: each under a key of its own, so that nothing of one opens as another. */
const purposes = {
  approval_token: {
    info: 'trade-agent approval token v1',
    lost: 'a stored approval cannot be opened',
    hint: `${REPLACED} Propose it again.`,
  },
  auth_req_id: {
    info: 'trade-agent question v1',
    lost: 'the id of a question to the identity provider cannot be opened',
    hint: `${REPLACED} Put it back: proposals that are open can't be asked about without it.`,
  },
  broker_key: {
    info: 'trade-agent broker key v1',
    lost: 'a stored key pair of a brokerage account cannot be opened',
    hint: `${REPLACED} Give it the pair again: "trade-agent home broker".`,
  },
} as const;

/** AES-256-GCM under a key derived (HKDF-SHA256, RFC 5869) from a secret of the gateway's. */
export function createTokenSeal(secrets: SealSecrets, purpose: keyof typeof purposes = 'approval_token') {
  const { info, lost, hint } = purposes[purpose];
  const keyOf = (secret: string | Buffer) => Buffer.from(hkdfSync('sha256', secret, '', info, 32));
  const [newest, ...older] = eachSecret(secrets);
  const key = keyOf(newest);
  const keys = [key, ...older.map(keyOf)];
  return {
    seal: (token: string, context: string): Buffer => sealBytes(key, Buffer.from(token), context),
    /** @throws {TradeAgentError} `state_corrupt` */
    open(sealed: Buffer, context: string): string {
      for (const one of keys) {
        try {
          return openBytes(one, sealed, context).toString('utf8');
        } catch {
          // Sealed by another of them, or by none.
        }
      }
      throw new TradeAgentError('state_corrupt', lost, { hint });
    },
  };
}
