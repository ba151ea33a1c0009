import { hkdfSync } from 'node:crypto';
import { openBytes, sealBytes } from '../secrets/aes-gcm.ts';
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
 * AES-256-GCM under a key derived (HKDF-SHA256, RFC 5869) from a secret of the gateway's.
 * @param secret what only the gateway has
 */
export function createTokenSeal(
  secret: string | Buffer,
  purpose: keyof typeof purposes = 'approval_token',
): TokenSeal {
  const { info, lost, hint } = purposes[purpose];
  const key = Buffer.from(hkdfSync('sha256', secret, '', info, 32));
  return {
    seal: (token, context) => sealBytes(key, Buffer.from(token), context),
    open(sealed, context) {
      try {
        return openBytes(key, sealed, context).toString('utf8');
      } catch {
        throw new TradeAgentError('state_corrupt', lost, { hint });
      }
    },
  };
}
