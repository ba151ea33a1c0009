/** Why the vault has no token: all but the last need the person; that one may pass by itself. */
export type VaultRefusal =
  | 'unknown_connection'
  | 'not_connected'
  | 'reconnect_needed'
  | 'invalid_scope'
  | 'broker_unreachable';

/** Carries no token and no response body. */
export class VaultError extends Error {
  override name = 'VaultError';
  readonly refusal: VaultRefusal;
  constructor(refusal: VaultRefusal, message: string) {
    super(message);
    this.refusal = refusal;
  }
}
