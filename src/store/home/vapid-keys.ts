import { createECDH } from 'node:crypto';
import type { Database } from 'better-sqlite3-multiple-ciphers';

/** What this home proves itself by to push services (RFC 8292), both base64url. A subscription is bound to it. */
export interface VapidKeys {
  /** The uncompressed P-256 point, 65 bytes: the page's `applicationServerKey`. */
  readonly publicKey: string;
  /** 32 bytes. In the database alone: never on a page, in a log or in an error. */
  readonly privateKey: string;
}

/** Made once and kept: with another key every phone would have to subscribe again. */
export function loadVapidKeys(database: Database): VapidKeys {
  const read = database.prepare<[], { public_key: string; private_key: string }>(
    'SELECT public_key, private_key FROM push_keys',
  );
  if (read.get() === undefined) {
    const made = createECDH('prime256v1');
    made.generateKeys();
    const secret = made.getPrivateKey();
    // One that begins with zeros comes out shorter.
    const whole = Buffer.concat([Buffer.alloc(32 - secret.length), secret]);
    database
      .prepare<[string, string]>('INSERT OR IGNORE INTO push_keys VALUES (1, ?, ?)')
      .run(made.getPublicKey('base64url'), whole.toString('base64url'));
  }
  const kept = read.get();
  if (kept === undefined) throw new Error('the push key could not be kept');
  return { publicKey: kept.public_key, privateKey: kept.private_key };
}
