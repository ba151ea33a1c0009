import { hkdfSync } from 'node:crypto';
import { isSameSecret } from '../secrets/constant-time.ts';
import { allSecrets, type SealSecrets } from '../secrets/token-seal.ts';
import type { StoredProposal } from '../store/proposal-store.ts';

/** The key of a question: its proposal, and the number of questions about the proposal so far, including this one.
 */
type QuestionKey = Pick<StoredProposal, 'id' | 'asked'>;

/**
 * The tokens with which the identity provider proves that it sent a ping (CIBA Core §7.1, §10.2). They are derived from
 * secrets that only the gateways have, so every gateway can compute them and none stores them: HKDF-SHA256 (RFC 5869)
 * with the question in `info`. They have 256 bits; CIBA Core §7.1 requires 160.
 */
export class NotificationTokens {
  readonly #secrets: ReturnType<typeof allSecrets>;

  constructor(secrets: SealSecrets) {
    this.#secrets = allSecrets(secrets);
  }

  /** Returns the token of a question. Several questions about one proposal have different tokens. */
  of(question: QuestionKey): string {
    return deriveToken(this.#secrets[0], question);
  }

  /** Whether a token belongs to the question in a proposal's row. Compares in constant time. */
  isTokenFor(token: string, proposal: QuestionKey): boolean {
    return this.#secrets.some((secret) => isSameSecret(token, deriveToken(secret, proposal)));
  }
}

function deriveToken(secret: string | Buffer, { id, asked }: QuestionKey): string {
  const info = `trade-agent notification token v1 ${id} ${asked}`;
  return Buffer.from(hkdfSync('sha256', secret, '', info, 32)).toString('base64url');
}
