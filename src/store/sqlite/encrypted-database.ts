import Database from 'better-sqlite3-multiple-ciphers';

const BUSY_TIMEOUT_MS = 5_000;

/**
 * Opens an encrypted database in SQLCipher's format. Creates the file if it does not exist, unless `fileMustExist` is
 * set.
 * @param key 32 bytes
 * @throws SQLite's errors; a wrong key causes an error only at the first read
 */
export function openEncryptedDatabase(
  file: string,
  key: Buffer,
  { fileMustExist = false }: { readonly fileMustExist?: boolean } = {},
): Database.Database {
  const database = new Database(file, { timeout: BUSY_TIMEOUT_MS, fileMustExist });
  try {
    database.pragma(`cipher='sqlcipher'`);
    // The form x'…' passes the raw key, without the slow key derivation for passphrases.
    database.pragma(`key="x'${key.toString('hex')}'"`);
    // SQLite would not encrypt the temporary files of sorts and vacuums.
    database.pragma('temp_store = MEMORY');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
