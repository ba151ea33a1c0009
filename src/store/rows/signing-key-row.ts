import type { SigningKey } from '../signing-key-store.ts';

/** What an insert takes of a new key. */
export function keyValues(key: SigningKey) {
  const { credentialId, sub, algorithm, counter, method, deviceType, name, enrolledAt } = key;
  return {
    ...{ credentialId, sub, algorithm, counter, method, deviceType, name, enrolledAt },
    publicKey: Buffer.from(key.publicKey),
    backedUp: key.backedUp ? 1 : 0,
    transports: JSON.stringify(key.transports),
  };
}

/** A row of `signing_keys`. */
export interface SigningKeyRow {
  readonly credential_id: string;
  readonly sub: string;
  readonly public_key: Buffer;
  readonly algorithm: number;
  readonly counter: number;
  readonly method: SigningKey['method'];
  readonly device_type: SigningKey['deviceType'];
  readonly backed_up: number | boolean;
  readonly name: string;
  readonly transports: string;
  readonly enrolled_at: number;
  readonly last_used_at: number | null;
  readonly removed_at: number | null;
}

export function keyOf(row: SigningKeyRow): SigningKey {
  return {
    credentialId: row.credential_id,
    sub: row.sub,
    publicKey: new Uint8Array(row.public_key),
    algorithm: row.algorithm,
    counter: row.counter,
    method: row.method,
    deviceType: row.device_type,
    backedUp: Boolean(row.backed_up),
    name: row.name,
    transports: JSON.parse(row.transports) as string[],
    enrolledAt: row.enrolled_at,
    ...(row.last_used_at === null ? {} : { lastUsedAt: row.last_used_at }),
    ...(row.removed_at === null ? {} : { removedAt: row.removed_at }),
  };
}
