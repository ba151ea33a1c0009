import { createECDH } from 'node:crypto';
import type { Database } from 'better-sqlite3-multiple-ciphers';

/** Authenticates this home to push services (RFC 8292), in base64url. Push subscriptions are bound to it. */
export interface VapidKeys {
  /** Uncompressed P-256 point (65 bytes). Pages pass it to the browser as `applicationServerKey`. */
  readonly publicKey: string;
  /** 32 bytes. Stored only in the database. It must never appear on a page, in a log or in an error. */
  readonly privateKey: string;
}

/**
 * Loads the key pair, and creates it on the first call. It is never replaced, because every phone would then have to
 * subscribe again.
 */
export function loadVapidKeys(database: Database): VapidKeys {
  const read = database.prepare<[], { public_key: string; private_key: string }>(
    'SELECT public_key, private_key FROM push_keys',
  );
  if (read.get() === undefined) {
    const made = createECDH('prime256v1');
    made.generateKeys();
    const secret = made.getPrivateKey();
    // Node omits leading zero bytes.
    const whole = Buffer.concat([Buffer.alloc(32 - secret.length), secret]);
    database
      .prepare<[string, string]>('INSERT OR IGNORE INTO push_keys VALUES (1, ?, ?)')
      .run(made.getPublicKey('base64url'), whole.toString('base64url'));
  }
  const kept = read.get();
  if (kept === undefined) throw new Error('the push key could not be stored');
  return { publicKey: kept.public_key, privateKey: kept.private_key };
}
