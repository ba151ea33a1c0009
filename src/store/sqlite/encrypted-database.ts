import Database from 'better-sqlite3-multiple-ciphers';

/** How long another process may hold it, milliseconds. */
const BUSY_MS = 5_000;

/**
 * Opens an encrypted database (SQLCipher's format), or makes one where there is none and there may be none.
 * @param key 32 bytes
 * @throws whatever SQLite throws; a wrong key shows at the first read
 */
export function openEncrypted(
  file: string,
  key: Buffer,
  { fileMustExist = false }: { readonly fileMustExist?: boolean } = {},
): Database.Database {
  const database = new Database(file, { timeout: BUSY_MS, fileMustExist });
  try {
    database.pragma(`cipher='sqlcipher'`);
    // The x'…' form is the key itself: no slow derivation, which is for passphrases.
    database.pragma(`key="x'${key.toString('hex')}'"`);
    // What SQLite spills while it sorts or vacuums would not be encrypted.
    database.pragma('temp_store = MEMORY');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
