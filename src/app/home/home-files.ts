import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { readNamedFile } from '../../config/named-file.ts';
import { parseYaml } from '../../config/yaml-file.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { type GatewaySettings, gatewaySettingsSchema } from '../../gateway/gateway-settings.ts';
import { type HomeSettings, homeSettingsSchema } from '../../home/settings/home-settings.ts';
import { ensurePrivateFolder } from '../../machine/directories.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { writePrivateFile } from '../../machine/private-file.ts';
import { withProcessLock } from '../../machine/process-lock.ts';
import { isRunning } from '../sandbox-connection.ts';

/** Files of a home's folder that are used in several modules. */
export const homeFiles = (folder: string) => ({
  settings: join(folder, 'home.yaml'),
  gateway: join(folder, 'gateway.yaml'),
  limits: join(folder, 'limits.yaml'),
  gatewayDatabase: join(folder, 'gateway.db'),
  providerDatabase: join(folder, 'provider.db'),
  record: join(folder, 'audit.jsonl'),
  ready: join(folder, 'ready.json'),
  /** Held while it serves and while it is created. */
  lock: join(folder, 'home.lock'),
  rulesLock: join(folder, 'policy.lock'),
  gatewayLock: join(folder, 'gateway.lock'),
});

/** How long a running home may hold one of its databases. */
export const DATABASE_WAIT_MS = 10_000;

/** @throws {TradeAgentError} `invalid_config`, also where there is no home */
export async function readHomeSettings(folder: string): Promise<HomeSettings> {
  const { settings } = homeFiles(folder);
  const hint = 'Make a home with "trade-agent home init", or name its folder with --home.';
  return await parseYaml(homeSettingsSchema, readNamedFile(settings, 'home here:', hint), settings);
}

/** @throws {TradeAgentError} `invalid_config` */
export async function readGatewaySettings(folder: string): Promise<GatewaySettings> {
  const { gateway } = homeFiles(folder);
  const hint = 'docs/operate/GATEWAY.md says what it holds; "trade-agent home init" writes one.';
  const settings = await parseYaml(
    gatewaySettingsSchema,
    readNamedFile(gateway, 'gateway configuration', hint),
    gateway,
  );
  if (settings.database === undefined) return settings;
  throw new TradeAgentError('invalid_config', `${gateway}: a home keeps its data in its own folder`, {
    hint: 'Remove "database": it is for "trade-agent gateway".',
  });
}

/**
 * Creates a home's folder completely or not at all: everything is written to `NAME.part` beside it, which is renamed
 * in one step at the end. A process that dies leaves nothing that could be served; the next try erases it. An
 * existing folder with files is refused: somebody could have prepared them or keep it open.
 * @param work writes into the folder it is given
 * @throws {TradeAgentError} `usage` where there is a home, or a folder that can't be one; `busy` while another
 *   process creates it
 */
export async function makeNewFolder<T>(folder: string, work: (part: string) => Promise<T>): Promise<T> {
  requireFree(folder);
  const part = join(dirname(folder), `${basename(folder)}.part`);
  ensurePrivateFolder(dirname(folder));
  makePart(part);
  return await withProcessLock(
    homeFiles(part).lock,
    { what: `the new home ${folder}`, waitMs: 0 },
    async () => {
      erase(part);
      failpoint('init.begun');
      let result: T;
      try {
        result = await work(part);
        requireFree(folder);
      } catch (error) {
        rmSync(part, { recursive: true, force: true });
        throw error;
      }
      failpoint('init.whole');
      // rmdir fails unless the folder is empty.
      if (stats(folder) !== undefined) rmdirSync(folder);
      renameSync(part, folder);
      failpoint('init.named');
      return result;
    },
  );
}

/** @throws {TradeAgentError} `usage` where no home can be created */
export function requireFree(folder: string): void {
  const found = stats(folder);
  if (found === undefined) return;
  const problem = folderProblem(found);
  if (problem !== undefined) throw unusable(folder, problem);
  const names = readdirSync(folder);
  if (names.includes(basename(homeFiles('').settings))) {
    throw new TradeAgentError('usage', `there is a home already: ${folder}`, {
      hint: 'Serve it with "trade-agent home serve", or make another with --home FOLDER.',
      details: { folder },
    });
  }
  if (names.length > 0) throw unusable(folder, `it holds other files (${names.slice(0, 3).join(', ')})`);
}

/** Why a folder can't hold a home's secrets; undefined where it can. */
export function folderProblem(found: Stats): string | undefined {
  if (found.isSymbolicLink()) return 'it is a symbolic link';
  if (!found.isDirectory()) return 'it is not a folder';
  if (process.platform === 'win32') return undefined;
  if (found.uid !== process.getuid?.()) return 'it belongs to another user';
  if ((found.mode & 0o077) !== 0) return 'others may enter it';
  return undefined;
}

function unusable(folder: string, problem: string): TradeAgentError {
  return new TradeAgentError('usage', `${folder} can't become a home: ${problem}`, {
    hint: 'Name a folder that does not exist yet with --home; it is made with the right permissions. Nothing was written.',
    details: { folder },
  });
}

function stats(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** @throws {TradeAgentError} `usage` where somebody else created it */
function makePart(part: string): void {
  try {
    mkdirSync(part, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const found = stats(part);
    const problem = found === undefined ? undefined : folderProblem(found);
    if (problem !== undefined) throw unusable(part, problem);
  }
}

/** Everything but the lock, which is held. */
function erase(part: string): void {
  const lock = basename(homeFiles(part).lock);
  for (const name of readdirSync(part)) {
    if (name !== lock) rmSync(join(part, name), { recursive: true, force: true });
  }
}

/** Where a home is served: written once it answers. */
const readySchema = z.object({
  address: z.string(),
  /** Where it listens on this machine, behind any proxy. */
  url: z.string(),
  environment: z.enum(['paper', 'live']),
  home: z.string(),
  pid: z.int().positive(),
});
export type HomeReady = z.output<typeof readySchema>;

/** What a running home has written; undefined where none runs. */
export function readHomeReady(file: string): HomeReady | undefined {
  let ready: HomeReady;
  try {
    ready = readySchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
  // A killed home leaves its file behind.
  return isRunning(ready.pid) ? ready : undefined;
}

/** @returns removes the file, unless another home has written it since */
export function announceHome(file: string, ready: HomeReady): () => void {
  writePrivateFile(file, `${JSON.stringify(ready)}\n`);
  return () => {
    if (readHomeReady(file)?.pid === ready.pid) rmSync(file, { force: true });
  };
}
