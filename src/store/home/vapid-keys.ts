import { createECDH } from 'node:crypto';
import { one, run, type SqlTransactions } from '../sql/sql-database.ts';

/** Key pair (base64url) that authenticates the home to push services (RFC 8292). Push subscriptions are bound to it. */
export interface VapidKeys {
  /** Uncompressed P-256 point (65 bytes). Pages pass it to the browser as `applicationServerKey`. */
  readonly publicKey: string;
  /** 32 bytes. Stored only in the database. It must never appear on a page, in a log or in an error. */
  readonly privateKey: string;
}

const READ = 'SELECT public_key AS "publicKey", private_key AS "privateKey" FROM push_keys';

/**
 * Loads the key pair, and creates it on the first call. It is never replaced, because every phone would then have to
 * subscribe again.
 */
export async function loadVapidKeys(database: SqlTransactions): Promise<VapidKeys> {
  const stored = (await database.one<VapidKeys>(READ)) ?? (await storeVapidKeys(database));
  if (stored === undefined) throw new Error('the push key could not be stored');
  return stored;
}

/** Stores a new key pair, unless another process has stored one. @returns the stored key pair */
function storeVapidKeys(database: SqlTransactions): Promise<VapidKeys | undefined> {
  const made = createECDH('prime256v1');
  made.generateKeys();
  const secret = made.getPrivateKey();
  // Pads the secret, because Node omits leading zero bytes.
  const whole = Buffer.concat([Buffer.alloc(32 - secret.length), secret]);
  return database.write(function* () {
    yield* run(
      `INSERT INTO push_keys (public_key, private_key) SELECT CAST(@publicKey AS text), CAST(@privateKey AS text)
       WHERE NOT EXISTS (SELECT 1 FROM push_keys) ON CONFLICT DO NOTHING`,
      { publicKey: made.getPublicKey('base64url'), privateKey: whole.toString('base64url') },
    );
    return yield* one<VapidKeys>(READ);
  });
}
