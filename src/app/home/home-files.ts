import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, type Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { readRequiredFile } from '../../config/required-file.ts';
import { parseYaml } from '../../config/yaml-file.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { type GatewaySettings, gatewaySettingsSchema } from '../../gateway/gateway-settings.ts';
import { type HomeSettings, homeSettingsSchema } from '../../home/settings/home-settings.ts';
import { ensurePrivateFolder, findFolderRisk } from '../../machine/directories.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { writePrivateFile } from '../../machine/private-file.ts';
import { withProcessLock } from '../../machine/process-lock.ts';
import { isProcessRunning } from '../sandbox-connection.ts';

/** Returns the paths of the home's files that several modules use. */
export const homeFilePaths = (folder: string) => ({
  settings: join(folder, 'home.yaml'),
  gateway: join(folder, 'gateway.yaml'),
  limits: join(folder, 'limits.yaml'),
  gatewayDatabase: join(folder, 'gateway.db'),
  providerDatabase: join(folder, 'provider.db'),
  practiceDatabase: join(folder, 'practice.db'),
  ready: join(folder, 'ready.json'),
  tailscale: join(folder, 'tailscale.json'),
  /** The account at the certificate authority, with the account key and recent failures. */
  acme: join(folder, 'acme.json'),
  /** The certificate from the authority, with its chain and its private key. */
  certificate: join(folder, 'certificate.pem'),
  /** Locked while the home is running or is being created. */
  lock: join(folder, 'home.lock'),
  rulesLock: join(folder, 'policy.lock'),
  gatewayLock: join(folder, 'gateway.lock'),
});

/** Maximum time in milliseconds to wait for a running home to release one of its databases. */
export const DATABASE_WAIT_MS = 10_000;

/** Reads home.yaml. @throws {TradeAgentError} `invalid_config`, including if there is no home */
export async function readHomeSettings(folder: string): Promise<HomeSettings> {
  const { settings } = homeFilePaths(folder);
  const hint = 'Create a home with "trade-agent home init", or pass its folder with --home.';
  return await parseYaml(homeSettingsSchema, readRequiredFile(settings, 'home', hint), settings);
}

/** Reads the home's gateway.yaml. @throws {TradeAgentError} `invalid_config` */
export async function readGatewaySettings(folder: string): Promise<GatewaySettings> {
  const { gateway } = homeFilePaths(folder);
  const hint = 'See docs/operate/GATEWAY.md for its contents. "trade-agent home init" creates this file.';
  return await parseYaml(gatewaySettingsSchema, readRequiredFile(gateway, 'gateway configuration', hint), gateway);
}

/**
 * Creates a home's folder completely or not at all. Writes everything to `NAME.part` next to it, and then renames that
 * folder. If the process is killed before the rename, there is no home, and the next attempt erases `NAME.part`.
 * Rejects a folder that already contains files, because someone else may have planted them or have them open.
 * @param work writes to the folder that it receives
 * @throws {TradeAgentError} `usage` if the folder is already a home or can't become one; `busy` while another process
 *   creates it
 */
export async function createHomeFolder<T>(folder: string, work: (part: string) => Promise<T>): Promise<T> {
  requireUnusedFolder(folder);
  const part = join(dirname(folder), `${basename(folder)}.part`);
  ensurePrivateFolder(dirname(folder));
  createPartFolder(part);
  return await withProcessLock(homeFilePaths(part).lock, { what: `the new home ${folder}`, waitMs: 0 }, async () => {
    erasePartFolder(part);
    failpoint('init.begun');
    let result: T;
    try {
      result = await work(part);
      requireUnusedFolder(folder);
    } catch (error) {
      rmSync(part, { recursive: true, force: true });
      throw error;
    }
    failpoint('init.whole');
    // rmdir fails if the folder is not empty.
    if (lstatOrUndefined(folder) !== undefined) rmdirSync(folder);
    renameSync(part, folder);
    failpoint('init.named');
    return result;
  });
}

/** Checks that a home can be created in a folder. @throws {TradeAgentError} `usage` if it can't */
export function requireUnusedFolder(folder: string): void {
  const found = lstatOrUndefined(folder);
  if (found === undefined) return;
  const problem = findFolderRisk(found);
  if (problem !== undefined) throw unusableFolder(folder, problem);
  const names = readdirSync(folder);
  if (names.includes(basename(homeFilePaths('').settings))) {
    throw new TradeAgentError('usage', `a home already exists: ${folder}`, {
      hint: 'Serve this home with "trade-agent home serve", or create another home with --home FOLDER.',
      details: { folder },
    });
  }
  if (names.length > 0) throw unusableFolder(folder, `it contains other files (${names.slice(0, 3).join(', ')})`);
}

function unusableFolder(folder: string, problem: string): TradeAgentError {
  return new TradeAgentError('usage', `${folder} can't be used for a home: ${problem}`, {
    hint: 'Pass a folder that does not exist yet with --home. It is created with the right permissions. Nothing was written.',
    details: { folder },
  });
}

function lstatOrUndefined(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Creates the temporary folder. @throws {TradeAgentError} `usage` if another user created the folder */
function createPartFolder(part: string): void {
  try {
    mkdirSync(part, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const found = lstatOrUndefined(part);
    const problem = found === undefined ? undefined : findFolderRisk(found);
    if (problem !== undefined) throw unusableFolder(part, problem);
  }
}

/** Removes everything in the folder except the lock file, which this process has locked. */
function erasePartFolder(part: string): void {
  const lock = basename(homeFilePaths(part).lock);
  for (const name of readdirSync(part)) {
    if (name !== lock) rmSync(join(part, name), { recursive: true, force: true });
  }
}

/** The addresses of a running home. The home writes them to a file when it starts to respond. */
const readySchema = z.object({
  address: z.string(),
  url: z.string(),
  environment: z.enum(['paper', 'live']),
  home: z.string(),
  pid: z.int().positive(),
});
export type HomeReadyInfo = z.output<typeof readySchema>;

/** Reads the ready file of a running home. Returns undefined if no home is running. */
export function readHomeReady(file: string): HomeReadyInfo | undefined {
  let ready: HomeReadyInfo;
  try {
    ready = readySchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
  // A killed home leaves its file behind.
  return isProcessRunning(ready.pid) ? ready : undefined;
}

/** Writes the ready file. @returns a function that removes the file, unless another home has overwritten it */
export function writeHomeReady(file: string, ready: HomeReadyInfo): () => void {
  writePrivateFile(file, `${JSON.stringify(ready)}\n`);
  return () => {
    if (readHomeReady(file)?.pid === ready.pid) rmSync(file, { force: true });
  };
}
