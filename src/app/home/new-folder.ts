import { lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, type Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { TradeAgentError } from '../../errors/errors.ts';
import { ensurePrivateFolder } from '../../machine/directories.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { withProcessLock } from '../../machine/process-lock.ts';
import { homeFiles } from './home-files.ts';

/**
 * Makes a home's folder whole or not at all: everything is written to `NAME.part` beside it, which takes its name in one
 * step at the end. Whoever dies on the way leaves nothing that could be served, and what was left is erased by the next
 * try. A folder that somebody prepared is not made a home: they could have left files in it, or keep it open.
 * @param work writes into the folder it is given
 * @throws {TradeAgentError} `usage` where there is a home, or a folder that can't be one; `busy` while another one is at it
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
      // An empty folder gives way; that it is empty is asked again by the system.
      if (stats(folder) !== undefined) rmdirSync(folder);
      renameSync(part, folder);
      failpoint('init.named');
      return result;
    },
  );
}

/**
 * Refuses a place where no home can be made.
 * @throws {TradeAgentError} `usage`
 */
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

/** @throws {TradeAgentError} `usage` where somebody else made one of that name */
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

/** All but the lock, which is held: what an earlier try left. */
function erase(part: string): void {
  const lock = basename(homeFiles(part).lock);
  for (const name of readdirSync(part)) {
    if (name !== lock) rmSync(join(part, name), { recursive: true, force: true });
  }
}
