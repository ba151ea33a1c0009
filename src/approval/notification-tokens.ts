import { hkdfSync } from 'node:crypto';
import { sameSecret } from '../secrets/constant-time.ts';
import { eachSecret, type SealSecrets } from '../secrets/token-seal.ts';
import type { StoredProposal } from '../store/proposal-store.ts';

/** A question: its proposal, and how often was asked about that by then, this time included. */
type Asked = Pick<StoredProposal, 'id' | 'asked'>;

/**
 * By what the identity provider shows, when it calls back, that it is the one who was asked (CIBA Core §7.1, §10.2). It is
 * derived from what the gateways alone have: kept nowhere, and known to each of them. HKDF-SHA256 (RFC 5869) of a secret of
 * the gateway's, the question in its `info`: 256 bits, where CIBA Core §7.1 asks for 160.
 */
export class NotificationTokens {
  readonly #secrets: ReturnType<typeof eachSecret>;

  constructor(secrets: SealSecrets) {
    this.#secrets = eachSecret(secrets);
  }

  /** What goes with a question; another for each, also of the same proposal. */
  of(question: Asked): string {
    return derived(this.#secrets[0], question);
  }

  /** Whether it went with the question that a proposal's row knows, in a time that tells nothing of that one. */
  isOf(token: string, proposal: Asked): boolean {
    return this.#secrets.some((secret) => sameSecret(token, derived(secret, proposal)));
  }
}

function derived(secret: string | Buffer, { id, asked }: Asked): string {
  const info = `trade-agent notification token v1 ${id} ${asked}`;
  return Buffer.from(hkdfSync('sha256', secret, '', info, 32)).toString('base64url');
}
