import { mkdirSync, statSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Has Node keep the program's compiled code between starts, in a folder of the user's own. Node's default is below the
 * shared temporary folder, where any other user of the machine may have put code under our name, and Node runs what it
 * finds there. Without such a folder the program is compiled at each start. NODE_COMPILE_CACHE and
 * NODE_DISABLE_COMPILE_CACHE are Node's own and win.
 */
export function keepCompiledCode(): void {
  const folder = compileCacheFolder(process.env, process.platform, homedir());
  if (isPrivate(folder)) enableCompileCache(folder);
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
