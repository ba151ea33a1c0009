import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { TradeAgentError } from '../../errors/errors.ts';
import { ruleFolders } from '../../gateway/policy/files/rules-source.ts';
import { createPrivateFile } from '../../machine/private-file.ts';
import { NO_LINE } from '../../store/audit.ts';
import type { App } from '../app.ts';
import { DATABASE_WAIT_MS, homeFiles, readHomeSettings } from './home-files.ts';
import { requireOwnFolder } from './open-home.ts';
import { type Archive, SHORTEST_PASSPHRASE, sealArchive } from './sealed-archive.ts';

export interface BackedUp {
  readonly file: string;
  readonly bytes: number;
  readonly createdAt: string;
  readonly address: string;
  readonly files: readonly string[];
}

/**
 * Writes everything that a home keeps into one file (0600), sealed under a passphrase; also while the home runs.
 * @param file must not be there yet
 * @throws {TradeAgentError} `usage` for a passphrase that is too short, or a file that is there; `invalid_config`
 */
export async function backupHome(
  { clock }: Pick<App, 'clock'>,
  {
    folder,
    file,
    passphrase,
  }: { readonly folder: string; readonly file: string; readonly passphrase: string },
): Promise<BackedUp> {
  requirePassphrase(passphrase);
  requireOwnFolder(folder);
  const { address } = await readHomeSettings(folder);
  const createdAt = new Date(clock.now()).toISOString();
  const files = await homeContent(folder);
  const sealed = await sealArchive({ createdAt, address, files }, passphrase);
  if (!createPrivateFile(file, sealed)) {
    throw new TradeAgentError('usage', `${file} is there already`, {
      hint: 'Name a new file: a backup is never written over another.',
      details: { file },
    });
  }
  return { file, bytes: sealed.length, createdAt, address, files: [...files.keys()] };
}

/** @throws {TradeAgentError} `usage` */
export function requirePassphrase(passphrase: string): void {
  if ([...passphrase].length >= SHORTEST_PASSPHRASE) return;
  throw new TradeAgentError('usage', `the passphrase has fewer than ${SHORTEST_PASSPHRASE} characters`, {
    hint: 'Whoever gets the file can try passphrases at leisure: take five random words, say.',
  });
}

/** Every file of a home as of one moment, but what only says that it runs. */
async function homeContent(folder: string): Promise<Archive['files']> {
  const { lock, ready, rulesLock, gatewayLock, record, gatewayDatabase } = homeFiles(folder);
  const left = new Set([lock, ready, rulesLock, gatewayLock].map((file) => basename(file)));
  const names = [...readdirSync(folder), ...ruleFolders.flatMap((name) => rulesIn(folder, name))]
    .filter((name) => !left.has(name) && !/(?:\.tmp|\.log|-wal|-shm|-journal)$/.test(name))
    .filter((name) => lstatSync(join(folder, name)).isFile())
    .sort();
  // Databases first: the record's file only grows, and is then cut to where its database stands.
  const databases = names.filter((name) => name.endsWith('.db'));
  const copies = new Map<string, Buffer>();
  let head = NO_LINE.seq;
  for (const name of databases) {
    const copy = await copyDatabase(join(folder, name));
    copies.set(name, copy.content);
    if (name === basename(gatewayDatabase)) head = copy.head;
  }
  for (const name of names) {
    if (copies.has(name)) continue;
    const content = readFileSync(join(folder, name));
    copies.set(name, name === basename(record) ? upTo(content, head) : content);
  }
  return copies;
}

/** Without them a restored home would let pass what its owner forbids. */
function rulesIn(folder: string, name: string): string[] {
  const found = lstatSync(join(folder, name), { throwIfNoEntry: false });
  return found?.isDirectory() === true
    ? readdirSync(join(folder, name)).map((file) => `${name}/${file}`)
    : [];
}

/** A database as of one moment, and the number of its record's last line where it keeps one. */
async function copyDatabase(file: string): Promise<{ content: Buffer; head: number }> {
  const { default: Database } = await import('better-sqlite3-multiple-ciphers');
  const database = new Database(file, { timeout: DATABASE_WAIT_MS, fileMustExist: true });
  try {
    const keepsRecord =
      database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'audit_head'").get() !== undefined;
    return database
      .transaction(() => ({
        head: keepsRecord
          ? (database.prepare<[], number>('SELECT seq FROM audit_head').pluck().get() ?? NO_LINE.seq)
          : NO_LINE.seq,
        content: database.serialize(),
      }))
      .deferred();
  } finally {
    database.close();
  }
}

/** The lines of a record up to a number. */
function upTo(content: Buffer, last: number): Buffer {
  const kept: string[] = [];
  for (const line of content.toString('utf8').split('\n')) {
    if (seqOf(line) > last) break;
    kept.push(line);
  }
  const text = kept.join('\n');
  return Buffer.from(text === '' || text.endsWith('\n') ? text : `${text}\n`);
}

function seqOf(line: string): number {
  try {
    const { seq } = JSON.parse(line) as { seq?: unknown };
    return typeof seq === 'number' ? seq : 0;
  } catch {
    // One that was cut short: the whole line follows it.
    return 0;
  }
}
