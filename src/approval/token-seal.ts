import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { TradeAgentError } from '../trading/errors.ts';

/** Seals a secret for its row. `context` binds it to that row: moved to another, it does not open. */
export interface TokenSeal {
  seal(secret: string, context: string): Buffer;
  /** @throws {TradeAgentError} `state_corrupt` */
  open(sealed: Buffer, context: string): string;
}

/** What is sealed: each under a key of its own, so that nothing of one opens as another. */
const purposes = {
  approval_token: {
    info: 'trade-agent approval token v1',
    lost: 'a stored approval cannot be opened',
    hint: 'Was seal.key in the gateway’s folder replaced? Propose it again.',
  },
  broker_key: {
    info: 'trade-agent broker key v1',
    lost: 'a stored key pair of a brokerage account cannot be opened',
    hint: 'Was seal.key in the gateway’s folder replaced? Give it the pair again: "trade-agent home broker".',
  },
} as const;

/**
 * AES-256-GCM under a key derived (HKDF-SHA256, RFC 5869) from a secret of the gateway's; laid out as nonce, tag, text.
 * @param secret what only the gateway has
 */
export function createTokenSeal(
  secret: string | Buffer,
  purpose: keyof typeof purposes = 'approval_token',
): TokenSeal {
  const { info, lost, hint } = purposes[purpose];
  const key = Buffer.from(hkdfSync('sha256', secret, '', info, 32));
  return {
    seal(token, context) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
      const text = Buffer.concat([cipher.update(token, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), text]);
    },
    open(sealed, context) {
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12), { authTagLength: 16 })
          .setAAD(Buffer.from(context))
          .setAuthTag(sealed.subarray(12, 28));
        return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]).toString('utf8');
      } catch {
        throw new TradeAgentError('state_corrupt', lost, { hint });
      }
    },
  };
}
