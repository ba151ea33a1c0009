import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The version these tests were written against; TEMPORAL_VERSION tries another. */
export const TEMPORAL_VERSION = process.env.TEMPORAL_VERSION ?? 'v1.32.1';

const BUILD_LIMIT_MS = 2_700_000;

/**
 * Temporal's own server, unmodified, built from Go's module proxy once and kept in the user's cache.
 * @returns where it is, or why there is none on this machine
 */
export async function temporalBinary(): Promise<{ binary: string } | { missing: string }> {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const folder = join(cache, 'trade-agent-tests', `temporal-${TEMPORAL_VERSION}`);
  const binary = join(folder, 'server');
  if (existsSync(binary)) return { binary };
  if (!(await run('go', ['version']).catch(() => undefined))) return { missing: 'Go is not installed' };
  mkdirSync(folder, { recursive: true });
  const module = `go.temporal.io/server/cmd/server@${TEMPORAL_VERSION}`;
  process.stderr.write(`Building ${module}: ten to twenty minutes of processor time, once.\n`);
  try {
    await run('go', ['install', module], {
      env: { ...process.env, GOBIN: folder },
      timeout: BUILD_LIMIT_MS,
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch {
    return { missing: `Go could not build ${module}` };
  }
  return existsSync(binary) ? { binary } : { missing: 'Go built something else' };
}
