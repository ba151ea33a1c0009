import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { z } from 'zod';
import { ProposalTransitions } from '../../approval/transitions.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { GatewaySettings } from '../../gateway/gateway-settings.ts';
import { ruleFolders } from '../../gateway/policy/files/rule-folder.ts';
import type { DatabaseSettings } from '../../gateway/settings/common-settings.ts';
import { createPrivateFile } from '../../machine/private-file.ts';
import { createTokenSeal } from '../../secrets/token-seal.ts';
import { endAllSignIns } from '../../store/home/oidc-store.ts';
import { prepareHomeDatabase } from '../../store/home/schema.ts';
import type { ProposalReason } from '../../store/proposal-store.ts';
import { createAuthReqIdSeal } from '../../store/rows/auth-req-id.ts';
import { createSqliteGatewayStores } from '../../store/sqlite/gateway-stores.ts';
import { createSqliteTransactions } from '../../store/sqlite/sql-database.ts';
import type { App } from '../app.ts';
import { readDatabasePlace } from '../gateway/gateway-database.ts';
import { readClientKey, readOrCreateSealSecret } from '../gateway/key-file.ts';
import {
  createHomeFolder,
  DATABASE_WAIT_MS,
  homeFilePaths,
  readGatewaySettings,
  readHomeSettings,
} from './home-files.ts';
import { openSqliteHome, withDatabase } from './migrate-home.ts';
import { requireOwnHomeFolder } from './open-home.ts';

interface BackupLocation {
  readonly folder: string;
  readonly file: string;
  readonly passphrase: string;
}

/**
 * Writes all of a home's data to one new file (mode 0600), encrypted with a passphrase. The home may be running. The
 * file's format does not depend on the home's database. A home on PostgreSQL is restored as a home on SQLite, which can
 * be moved to PostgreSQL again.
 * @throws {TradeAgentError} `usage` for a passphrase that is too short, a file that exists, or keys that a key
 *   management service has wrapped; `invalid_config`, `database_unreachable`
 */
export async function backupHome(
  { clock, env }: Pick<App, 'clock' | 'env'>,
  { folder, file, passphrase }: BackupLocation,
) {
  requirePassphrase(passphrase);
  requireOwnHomeFolder(folder);
  const { address } = await readHomeSettings(folder);
  const settings = await readGatewaySettings(folder);
  const createdAt = new Date(clock.now()).toISOString();
  const files =
    settings.database === undefined
      ? await homeContent(folder)
      : await databaseContent(folder, settings, settings.database, env);
  const sealed = await sealArchive({ createdAt, address, files }, passphrase);
  if (!createPrivateFile(file, sealed)) {
    throw new TradeAgentError('usage', `${file} already exists`, {
      hint: 'Choose a new file. A backup never overwrites a file.',
      details: { file },
    });
  }
  return { file, bytes: sealed.length, createdAt, address, files: [...files.keys()] };
}

function requirePassphrase(passphrase: string): void {
  if ([...passphrase].length >= MIN_PASSPHRASE_LENGTH) return;
  throw new TradeAgentError('usage', `the passphrase has fewer than ${MIN_PASSPHRASE_LENGTH} characters`, {
    hint: 'Anyone who gets the file can guess passphrases offline. Use five random words, for example.',
  });
}

/** Returns a consistent snapshot of all files of a home, except locks, logs and the ready file. */
async function homeContent(folder: string): Promise<Archive['files']> {
  const { lock, ready, rulesLock, gatewayLock } = homeFilePaths(folder);
  const left = new Set([lock, ready, rulesLock, gatewayLock].map((file) => basename(file)));
  const names = [...readdirSync(folder), ...ruleFolders.flatMap((name) => listRules(folder, name))]
    .filter((name) => !left.has(name) && !/(?:\.tmp|\.log|-wal|-shm|-journal)$/.test(name))
    .filter((name) => lstatSync(join(folder, name)).isFile())
    .sort();
  const copies = new Map<string, Buffer>();
  for (const name of names) {
    const file = join(folder, name);
    copies.set(name, name.endsWith('.db') ? await copyDatabase(file) : readFileSync(file));
  }
  return copies;
}

/**
 * Returns the files that a home on PostgreSQL would have on SQLite, from one snapshot of its database. Leaves out the
 * connection strings, because the restored home does not need them.
 */
async function databaseContent(
  folder: string,
  { kms }: GatewaySettings,
  database: DatabaseSettings,
  env: NodeJS.ProcessEnv,
): Promise<Archive['files']> {
  if (kms !== undefined) {
    throw new TradeAgentError(
      'usage',
      'the keys of this home are stored in its database, wrapped by a key management service',
      { hint: 'Back up the database with pg_dump, and copy the folder.' },
    );
  }
  const { gateway, gatewayDatabase, providerDatabase, limits } = homeFilePaths(folder);
  const secrets = [database.url_file, database.direct_url_file].map((name) => name && resolve(folder, name));
  const target = await openSqliteHome({ gateway: ':memory:', home: ':memory:' }, false);
  try {
    const { copyPostgresHome } = await import('../../store/postgres/home-database.ts');
    const rules = await copyPostgresHome(readDatabasePlace(database, folder, env), target);
    const kept = [...(await homeContent(folder))].filter(
      ([name]) =>
        // While the home uses PostgreSQL, the rule files and databases in its folder are ignored.
        !/\.db(?:\.moved|\.part)?$|\//.test(name) &&
        join(folder, name) !== limits &&
        !secrets.includes(join(folder, name)),
    );
    return new Map([
      ...kept,
      ...Object.entries(rules).map(([name, text]) => [name, Buffer.from(text)] as const),
      [basename(gateway), Buffer.from(await withDatabase(gateway, undefined))],
      [basename(gatewayDatabase), target.gateway.serialize()],
      [basename(providerDatabase), target.home.serialize()],
    ]);
  } finally {
    for (const opened of [target.gateway, target.home]) opened.close();
  }
}

/** Lists a folder's rule files. Without these files, a restored home would allow what its owner has forbidden. */
function listRules(folder: string, name: string): string[] {
  const found = lstatSync(join(folder, name), { throwIfNoEntry: false });
  return found?.isDirectory() === true ? readdirSync(join(folder, name)).map((file) => `${name}/${file}`) : [];
}

/** Copies a consistent snapshot of a database, even if other processes write to it meanwhile. */
async function copyDatabase(file: string): Promise<Buffer> {
  const { default: Database } = await import('better-sqlite3-multiple-ciphers');
  const database = new Database(file, { timeout: DATABASE_WAIT_MS, fileMustExist: true });
  try {
    return database
      .transaction(() => {
        // The first read begins the snapshot.
        database.prepare('SELECT 1 FROM sqlite_master').get();
        return database.serialize();
      })
      .deferred();
  } finally {
    database.close();
  }
}

const restoredReason: ProposalReason = {
  code: 'approval_cancelled',
  text: 'the home was restored from a backup; ask the broker what has happened since then',
};

/**
 * Restores a backup, completely or not at all, to a folder that does not exist yet. Withdraws open proposals
 * (`withdrawn`), because they may have been decided and executed after the backup. When the home is next started, it
 * looks up the orders that were being executed (`lookedUp`) at the broker, by ID. Sending such an order again is safe,
 * because the broker accepts each ID only once. Ends every sign-in, but keeps the phones' keys valid.
 * @throws {TradeAgentError} `usage` for a wrong passphrase, a damaged file or an existing folder; `invalid_config`.
 *   Nothing is written in these cases
 */
export async function restoreHome({ clock }: Pick<App, 'clock'>, { folder, file, passphrase }: BackupLocation) {
  const archive = await openArchive(readBackup(file), passphrase, file);
  const { createdAt, address } = archive;
  return await createHomeFolder(folder, async (part) => {
    const lock = basename(homeFilePaths(part).lock);
    for (const [name, data] of archive.files) if (name !== lock) createPrivateFile(join(part, name), data);
    // Validates the files before the folder gets its final name, because files may be missing or from a newer version.
    await readHomeSettings(part);
    await readGatewaySettings(part);
    readClientKey(part);
    return { folder, createdAt, address, ...(await settleRestored(part, clock)) };
  });
}

async function settleRestored(part: string, clock: App['clock']) {
  const { default: Database } = await import('better-sqlite3-multiple-ciphers');
  const { gatewayDatabase, providerDatabase } = homeFilePaths(part);
  const provider = new Database(providerDatabase, { fileMustExist: true });
  try {
    await endAllSignIns(createSqliteTransactions(prepareHomeDatabase(provider)));
  } finally {
    provider.close();
  }
  const seal = readOrCreateSealSecret(part);
  const database = new Database(gatewayDatabase, { fileMustExist: true });
  try {
    const { proposals } = createSqliteGatewayStores(database, createAuthReqIdSeal(seal));
    const moves = new ProposalTransitions(proposals, createTokenSeal(seal), clock);
    let withdrawn = 0;
    let lookedUp = 0;
    for (const proposal of await proposals.list({ state: 'open' })) {
      if (proposal.state === 'executing' || proposal.state === 'unknown') lookedUp += 1;
      else {
        await moves.move(proposal, 'cancelled', { reason: restoredReason });
        withdrawn += 1;
      }
    }
    return { withdrawn, lookedUp };
  } finally {
    database.close();
  }
}

function readBackup(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new TradeAgentError(
      'usage',
      code === 'ENOENT' ? `there is no backup ${file}` : `${file} can't be read (${code})`,
      { hint: 'Pass a file written by "trade-agent home backup".', details: { file } },
    );
  }
}

/*
 * A backup is one file: a line of JSON that describes the encryption, then the ciphertext, then its tag.
 *
 *     {"format":"trade-agent.home-backup/1","kdf":"scrypt","n":131072,…,"cipher":"aes-256-gcm","nonce":"…"}\n
 *     AES-256-GCM(gzip(JSON {created_at, address, files: [{name, data}]})) 16 bytes of tag
 *
 * The first line is authenticated along with the rest, so a backup with a modified header does not open. The key is
 * derived from the passphrase with scrypt (RFC 7914), so that each guess costs 128 MiB and a third of a second.
 */

const FORMAT = 'trade-agent.home-backup/1';
const SCRYPT_COST = { n: 2 ** 17, r: 8, p: 1 };
/** Maximum scrypt parameters in a backup's header, because larger values would exhaust memory. */
const MAX_SCRYPT_COST = { n: 2 ** 18, r: 8, p: 2 };
const TAG_BYTES = 16;
const NONCE_BYTES = 12;
const MAX_HEADER_LENGTH = 1024;
/** Maximum size of a backup's content. Databases grow by about 2 KiB per order. */
const MAX_CONTENT_BYTES = 1024 ** 3;

/** Minimum length of a passphrase in characters, because shorter passphrases can be guessed offline. */
const MIN_PASSPHRASE_LENGTH = 12;

const base64url = (bytes: number) =>
  z.string().refine((text) => Buffer.from(text, 'base64url').length === bytes, `must be ${bytes} bytes in base64url`);

const headerSchema = z.strictObject({
  format: z.literal(FORMAT),
  kdf: z.literal('scrypt'),
  n: z
    .int()
    .min(SCRYPT_COST.n)
    .max(MAX_SCRYPT_COST.n)
    .refine((n) => Number.isInteger(Math.log2(n))),
  r: z.int().min(1).max(MAX_SCRYPT_COST.r),
  p: z.int().min(1).max(MAX_SCRYPT_COST.p),
  salt: base64url(16),
  cipher: z.literal('aes-256-gcm'),
  nonce: base64url(NONCE_BYTES),
});
type Header = z.output<typeof headerSchema>;

const archiveSchema = z.strictObject({
  created_at: z.iso.datetime(),
  /** The home's address. The backed-up passkeys are valid only at this address. */
  address: z.string(),
  files: z.array(
    z.strictObject({
      /** Path of a rules file or of another file in the home's folder. No other path is allowed. */
      name: z.string().regex(/^(?:(?:policies|firm)\/)?[A-Za-z0-9][\w.-]{0,99}$/),
      data: z.base64(),
    }),
  ),
});

interface Archive {
  readonly createdAt: string;
  readonly address: string;
  /** Contents by file name. */
  readonly files: ReadonlyMap<string, Buffer>;
}

export async function sealArchive(archive: Archive, passphrase: string): Promise<Buffer> {
  const nonce = randomBytes(NONCE_BYTES);
  const salt = randomBytes(16);
  const header: Header = {
    format: FORMAT,
    kdf: 'scrypt',
    ...SCRYPT_COST,
    salt: salt.toString('base64url'),
    cipher: 'aes-256-gcm',
    nonce: nonce.toString('base64url'),
  };
  const line = Buffer.from(`${JSON.stringify(header)}\n`);
  const files = [...archive.files].map(([name, data]) => ({ name, data: data.toString('base64') }));
  const plain = await promisify(gzip)(
    JSON.stringify({ created_at: archive.createdAt, address: archive.address, files }),
  );
  const cipher = createCipheriv('aes-256-gcm', await deriveKey(passphrase, header), nonce);
  cipher.setAAD(line);
  return Buffer.concat([line, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/**
 * Decrypts and parses a backup.
 * @param file file name, for messages
 * @throws {TradeAgentError} `usage` for a wrong passphrase or a damaged file, which can't be distinguished;
 *   `invalid_config` for a file that is not a backup
 */
export async function openArchive(sealed: Buffer, passphrase: string, file: string): Promise<Archive> {
  const end = sealed.subarray(0, MAX_HEADER_LENGTH).indexOf(0x0a);
  const header = end < 0 ? undefined : readHeader(sealed.subarray(0, end).toString('utf8'));
  if (header === undefined || sealed.length < end + 1 + TAG_BYTES) throw notABackup(file);
  const decipher = createDecipheriv(
    'aes-256-gcm',
    await deriveKey(passphrase, header),
    Buffer.from(header.nonce, 'base64url'),
    { authTagLength: TAG_BYTES },
  );
  decipher.setAAD(sealed.subarray(0, end + 1));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  let plain: Buffer;
  try {
    plain = Buffer.concat([decipher.update(sealed.subarray(end + 1, -TAG_BYTES)), decipher.final()]);
  } catch (cause) {
    throw new TradeAgentError('usage', `${file} can't be decrypted: the passphrase is wrong, or the file is damaged`, {
      hint: 'Use the passphrase that the backup was created with. Nothing was written.',
      cause,
    });
  }
  const parsed = archiveSchema.safeParse(
    JSON.parse((await promisify(gunzip)(plain, { maxOutputLength: MAX_CONTENT_BYTES })).toString('utf8')),
  );
  if (!parsed.success) throw notABackup(file);
  const { created_at, address, files } = parsed.data;
  return {
    createdAt: created_at,
    address,
    files: new Map(files.map(({ name, data }) => [name, Buffer.from(data, 'base64')])),
  };
}

function readHeader(text: string): Header | undefined {
  try {
    return headerSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function notABackup(file: string): TradeAgentError {
  return new TradeAgentError('invalid_config', `${file} is not a home backup that this version can read`, {
    hint: 'Pass a file written by "trade-agent home backup". Nothing was written.',
    details: { file },
  });
}

async function deriveKey(
  passphrase: string,
  { n, r, p, salt }: Pick<Header, 'n' | 'r' | 'p' | 'salt'>,
): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    scrypt(
      passphrase.normalize('NFC'),
      Buffer.from(salt, 'base64url'),
      32,
      { N: n, r, p, maxmem: 256 * n * r },
      (error, key) => (error === null ? resolve(key) : reject(error)),
    );
  });
}
