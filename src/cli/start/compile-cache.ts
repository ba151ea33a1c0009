import { mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The file that keeps a command's compiled code, in a folder of the user's own: whoever may write there can make the
 * program run anything. Undefined without such a folder, or with Node's NODE_DISABLE_COMPILE_CACHE.
 * @param command each runs other functions of the same files
 */
export function compiledFile(command: string): string | undefined {
  if (process.env.NODE_DISABLE_COMPILE_CACHE === '1') return undefined;
  const folder = compileCacheFolder(process.env, process.platform, homedir());
  return isPrivate(folder) ? join(folder, `${command}.bin`) : undefined;
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

/** Makes the folder if needed. False if that fails, or another user owns it or may write to it. */
export function isPrivate(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(folder);
    return process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
  } catch {
    return false;
  }
}
