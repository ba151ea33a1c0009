import Database from 'better-sqlite3-multiple-ciphers';

/** How long to wait for another process's lock, in milliseconds. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * Opens an encrypted database in SQLCipher's format. Creates it if it does not exist, unless `fileMustExist` is set.
 * @param key 32 bytes
 * @throws SQLite's errors; a wrong key is detected by the first read
 */
export function openEncrypted(
  file: string,
  key: Buffer,
  { fileMustExist = false }: { readonly fileMustExist?: boolean } = {},
): Database.Database {
  const database = new Database(file, { timeout: BUSY_TIMEOUT_MS, fileMustExist });
  try {
    database.pragma(`cipher='sqlcipher'`);
    // The x'…' form is the raw key, without the slow derivation for passphrases.
    database.pragma(`key="x'${key.toString('hex')}'"`);
    // Temporary files of sorts and vacuums would not be encrypted.
    database.pragma('temp_store = MEMORY');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
