import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import envPaths from 'env-paths';

export interface ClientPackage {
  readonly registry: 'npm' | 'pypi';
  readonly name: string;
  readonly version: string;
  /** The command that starts it; of a Python package, the interpreter that finds it. */
  readonly command: string;
}

const run = promisify(execFile);
/** Some are 400 MB. */
const WITHIN_MS = 10 * 60_000;

/**
 * Installs a client once into the user's cache, outside of the repository and of every other program's folders.
 * @returns the path of its command
 */
export async function installed({ registry, name, version, command }: ClientPackage): Promise<string> {
  const root = process.env.MCP_CLIENTS_CACHE ?? envPaths('trade-agent-mcp-clients', { suffix: '' }).cache;
  const folder = join(root, `${name.replace(/[@/]/g, '_')}-${version}`);
  const path = join(folder, registry === 'npm' ? 'node_modules/.bin' : 'bin', command);
  if (existsSync(join(folder, 'whole'))) return path;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const limit = { cwd: folder, timeout: WITHIN_MS };
  if (registry === 'npm') {
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    await run('npm', ['install', '--no-audit', '--no-fund', `${name}@${version}`], limit);
  } else {
    await run('python3', ['-m', 'venv', folder], limit);
    await run(join(folder, 'bin/pip'), ['install', '--quiet', `${name}==${version}`], limit);
  }
  writeFileSync(join(folder, 'whole.new'), '');
  renameSync(join(folder, 'whole.new'), join(folder, 'whole'));
  return join(dirname(path), command);
}
