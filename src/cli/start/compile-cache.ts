import { mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The file that keeps a command's compiled code between starts, in a folder of the user's own: who may write there can
 * have the program run anything. Undefined without such a folder, or where Node's own NODE_DISABLE_COMPILE_CACHE says
 * so: the program is then compiled at each start.
 * @param command each runs other functions of the same files
 */
export function compiledFile(command: string): string | undefined {
  if (process.env.NODE_DISABLE_COMPILE_CACHE === '1') return undefined;
  const folder = compileCacheFolder(process.env, process.platform, homedir());
  return isPrivate(folder) ? join(folder, `${command}.bin`) : undefined;
}

/** Below the platform's folder for caches. */
export function compileCacheFolder(env: NodeJS.ProcessEnv, platform: NodeJS.Platform, home: string): string {
  const caches =
    platform === 'win32'
      ? env.LOCALAPPDATA || join(home, 'AppData', 'Local')
      : platform === 'darwin'
        ? join(home, 'Library', 'Caches')
        : env.XDG_CACHE_HOME || join(home, '.cache');
  return join(caches, 'trade-agent', 'compiled');
}

/** Makes the folder if need be. False when it can't be made, or another user owns it or may write to it. */
export function isPrivate(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(folder);
    return process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
  } catch {
    return false;
  }
}
