import { createHmac, hkdfSync } from 'node:crypto';
import { isSameSecret } from '../secrets/constant-time.ts';
import { type SealSecrets, toSecretList } from '../secrets/token-seal.ts';
import type { StoredProposal } from '../store/proposal-store.ts';

/** Identifies an approval request: its proposal, and its number among the proposal's approval requests. */
type QuestionKey = Pick<StoredProposal, 'id' | 'asked'>;

/**
 * The tokens with which the identity provider proves that it sent a ping (CIBA Core §7.1, §10.2). They are derived from
 * secrets that only the gateways have, so every gateway can compute a token without storing it: HKDF-SHA256 (RFC 5869)
 * with the approval request in `info`. Tokens have 256 bits; CIBA Core §7.1 requires 160. An HMAC after the dot shows
 * that a gateway made the token, even before the approval request is known.
 */
export class NotificationTokens {
  readonly #secrets: ReturnType<typeof toSecretList>;

  constructor(secrets: SealSecrets) {
    this.#secrets = toSecretList(secrets);
  }

  /** Returns an approval request's token. Each approval request for a proposal has a different token. */
  of(question: QuestionKey): string {
    return deriveToken(this.#secrets[0], question);
  }

  /**
   * Returns whether one of the gateways made this token, for any approval request. A stranger's ping can therefore be
   * rejected even if the approval request is not stored yet.
   */
  isOwn(token: string): boolean {
    const [body = '', tag = ''] = token.split('.');
    return this.#secrets.some((secret) => isSameSecret(tag, tokenTag(secret, body)));
  }

  /**
   * Returns the token derived from the current secret and, while the secret is being replaced, also the token derived
   * from the previous secret.
   */
  all(question: QuestionKey): string[] {
    return this.#secrets.map((secret) => deriveToken(secret, question));
  }

  /** Returns whether a token belongs to the approval request in a proposal's row. Compares in constant time. */
  isTokenFor(token: string, proposal: QuestionKey): boolean {
    return this.all(proposal).some((own) => isSameSecret(token, own));
  }
}

function deriveToken(secret: string | Buffer, { id, asked }: QuestionKey): string {
  const info = `trade-agent notification token v1 ${id} ${asked}`;
  const body = Buffer.from(hkdfSync('sha256', secret, '', info, 32)).toString('base64url');
  return `${body}.${tokenTag(secret, body)}`;
}

function tokenTag(secret: string | Buffer, body: string): string {
  const key = hkdfSync('sha256', secret, '', 'trade-agent notification token tag v1', 32);
  return createHmac('sha256', Buffer.from(key)).update(body).digest('base64url');
}
