import { mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Returns the path of the file for a command's compiled code. The file is in a folder that is private to the user,
 * because anyone who can write to it could run any code. Returns undefined if there is no private folder, or if
 * NODE_DISABLE_COMPILE_CACHE is set.
 * @param command each command has its own file, because each runs different functions of the same chunks
 */
export function compiledCodeFile(command: string): string | undefined {
  if (process.env.NODE_DISABLE_COMPILE_CACHE === '1') return undefined;
  const folder = compileCacheFolder(process.env, process.platform, homedir());
  return ensurePrivateCacheFolder(folder) ? join(folder, `${command}.bin`) : undefined;
}

export function compileCacheFolder(env: NodeJS.ProcessEnv, platform: NodeJS.Platform, home: string): string {
  const caches =
    platform === 'win32'
      ? env.LOCALAPPDATA || join(home, 'AppData', 'Local')
      : platform === 'darwin'
        ? join(home, 'Library', 'Caches')
        : env.XDG_CACHE_HOME || join(home, '.cache');
  return join(caches, 'trade-agent', 'compiled');
}

/** Creates the folder if needed. Returns false if that fails, or if other users own the folder or can write to it. */
export function ensurePrivateCacheFolder(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(folder);
    return process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
  } catch {
    return false;
  }
}
