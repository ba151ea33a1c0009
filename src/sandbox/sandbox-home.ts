import { randomBytes, randomInt } from 'node:crypto';
import { existsSync, lstatSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { exportJWK, generateKeyPair } from 'jose';
import { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';
import { ensurePrivateFolder, findFolderRisk } from '../machine/directories.ts';
import { readPrivateFile } from '../machine/private-file.ts';

/** Creates a key pair. Alpaca's paper key IDs start with PK. */
const newBrokerKey = () => ({
  key_id: `PK${randomBytes(9).toString('hex').toUpperCase()}`,
  secret: randomBytes(30).toString('base64url'),
});

const userSchema = z.object({
  username: z.string(),
  name: z.string(),
  email: z.string(),
  broker_password: z.string(),
  broker_key: z.object({ key_id: z.string(), secret: z.string() }),
});

const seedSchema = z.object({
  users: z.array(userSchema),
  /** The gateway's key for private_key_jwt at the identity provider. */
  gateway_key: z.record(z.string(), z.unknown()),
  /** Key that seals the vault's broker tokens: 32 bytes in base64url. */
  vault_key: z.string(),
  vault_client_secret: z.string(),
  admin_secret: z.string(),
  market_seed: z.string(),
});
export type SandboxSeed = z.output<typeof seedSchema>;

export interface SandboxHome {
  readonly folder: string;
  readonly seed: SandboxSeed;
  readonly pairingSecret: string;
  /** Ports of the last start. The next start reuses them, so that issued tokens stay valid. */
  readonly ports: SandboxPorts | undefined;
  rememberPorts(ports: SandboxPorts): void;
  database(name: 'identity-provider' | 'paper-broker' | 'gateway' | 'slack' | 'gmail' | 'company'): Database.Database;
  release(): void;
}

/** `issuer` is the home's port. `company` is undefined until the sandbox is started with a company. */
const portsSchema = z.object({ issuer: z.number(), broker: z.number(), company: z.number().optional() });
export type SandboxPorts = z.output<typeof portsSchema>;

/**
 * Opens and locks a sandbox's folder and creates missing files.
 * @throws {TradeAgentError} `busy` if another sandbox uses the folder, `state_corrupt` if the sandbox's seed can't be
 * read, `usage` if another user could have written the folder or one of these files
 */
export async function openSandboxHome(folder: string): Promise<SandboxHome> {
  ensurePrivateFolder(folder);
  const problem = findFolderRisk(lstatSync(folder));
  if (problem !== undefined) throw unusable(folder, problem);
  const release = lockFolder(folder);
  try {
    const seed = await readOrMakeSeed(join(folder, 'seed.json'));
    const pairingFile = join(folder, 'pairing-secret');
    if (!existsSync(pairingFile)) writePrivateFile(pairingFile, randomBytes(32).toString('base64url'));
    const portsFile = join(folder, 'ports.json');
    return {
      folder,
      seed,
      pairingSecret: readOwnFile(pairingFile).trim(),
      ports: existsSync(portsFile) ? portsSchema.parse(JSON.parse(readOwnFile(portsFile))) : undefined,
      rememberPorts: (ports) => writePrivateFile(portsFile, `${JSON.stringify(ports)}\n`),
      database: (name) => new Database(join(folder, `${name}.db`)),
      release,
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** Maximum size of the sandbox's files, in bytes. */
const MAX_FILE_BYTES = 64 * 1024;

/** Reads a file of the sandbox. Rejects a file that another user could have planted, such as a known pairing secret. */
function readOwnFile(file: string): string {
  const content = readPrivateFile(file, MAX_FILE_BYTES, (why) => unusable(file, why));
  if (content === undefined) throw unusable(file, 'it was removed');
  return content;
}

function unusable(path: string, problem: string): TradeAgentError {
  return new TradeAgentError('usage', `${path} can't be used for a sandbox: ${problem}`, {
    hint: 'Pass a folder that does not exist yet with --home. It is created with the right permissions.',
    details: { path },
  });
}

/**
 * Locks the folder with an SQLite lock instead of a lock file. The operating system releases the lock when the process
 * ends, so a killed sandbox can be restarted immediately.
 */
function lockFolder(folder: string): () => void {
  const database = new Database(join(folder, 'lock.db'), { timeout: 0 });
  try {
    database.pragma('locking_mode = EXCLUSIVE');
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    throw new TradeAgentError('busy', `another sandbox is already using ${folder}`, {
      hint: 'Use that sandbox, stop it first, or choose another folder with --home.',
      cause,
    });
  }
  return () => database.close();
}

const newUser = (username: string, name: string) => ({
  username,
  name,
  email: `${username}@example.com`,
  broker_password: passphrase(),
  broker_key: newBrokerKey(),
});

async function readOrMakeSeed(file: string): Promise<SandboxSeed> {
  if (!existsSync(file)) {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const seed: SandboxSeed = {
      users: [newUser('alice', 'Alice Adams'), newUser('bob', 'Bob Brown')],
      gateway_key: { ...(await exportJWK(privateKey)), kid: 'gateway', alg: 'ES256', use: 'sig' },
      vault_key: randomBytes(32).toString('base64url'),
      vault_client_secret: randomBytes(32).toString('base64url'),
      admin_secret: randomBytes(32).toString('base64url'),
      market_seed: randomBytes(8).toString('hex'),
    };
    writePrivateFile(file, `${JSON.stringify(seed, null, 2)}\n`);
  }
  const parsed = seedSchema.safeParse(JSON.parse(readOwnFile(file)));
  if (!parsed.success) {
    throw new TradeAgentError('state_corrupt', `${file} is not a sandbox seed`, {
      hint: 'Fix the file, or start a new sandbox with --home on an empty folder.',
    });
  }
  return parsed.data;
}

function passphrase(): string {
  const words =
    'amber bison cedar delta ember fjord grove heron inlet jade kelp linen maple north olive pearl quartz river slate tulip umber violet willow yarrow'.split(
      ' ',
    );
  const word = () => words[randomInt(words.length)];
  return `${word()}-${word()}-${word()}-${randomInt(10, 100)}${randomInt(10, 100)}`;
}

function writePrivateFile(file: string, content: string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, content, { mode: 0o600 });
  renameSync(temporary, file);
}
