import { hkdfSync } from 'node:crypto';
import { sameSecret } from '../secrets/constant-time.ts';
import { eachSecret, type SealSecrets } from '../secrets/token-seal.ts';
import type { StoredProposal } from '../store/proposal-store.ts';

/** A question: its proposal, and how often was asked about that by then, this time included. */
type Asked = Pick<StoredProposal, 'id' | 'asked'>;

/**
 * By what the identity provider shows, when it calls back, that it is the one who was asked (CIBA Core §7.1, §10.2). It is
 * derived from what the gateways alone have: kept nowhere, and known to each of them.
 */
export interface NotificationTokens {
  /** What goes with a question; another for each, also of the same proposal. */
  of(question: Asked): string;
  /** Whether it went with the question that a proposal's row knows, in a time that tells nothing of that one. */
  isOf(token: string, proposal: Asked): boolean;
}

/** HKDF-SHA256 (RFC 5869) of a secret of the gateway's, the question in its `info`: 256 bits, where CIBA Core §7.1 asks for 160. */
export function createNotificationTokens(secrets: SealSecrets): NotificationTokens {
  const each = eachSecret(secrets);
  const derived = (secret: string | Buffer, { id, asked }: Asked) =>
    Buffer.from(
      hkdfSync('sha256', secret, '', `trade-agent notification token v1 ${id} ${asked}`, 32),
    ).toString('base64url');
  return {
    of: (question) => derived(each[0], question),
    isOf: (token, proposal) => each.some((secret) => sameSecret(token, derived(secret, proposal))),
  };
}
