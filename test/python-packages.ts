import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Installing packages, with all that they depend on. */
const LIMIT_MS = 15 * 60_000;

/**
 * Returns a Python with these packages, from a virtual environment in the user's cache; undefined if there is none, and
 * a line on stderr says why.
 * @param wanted requirements as pip takes them, each with its version
 * @param options.isInstalling whether to install what is missing, from PyPI
 */
export function pythonWith(
  wanted: readonly string[],
  { isInstalling }: { readonly isInstalling: boolean },
): string | undefined {
  const { XDG_CACHE_HOME = join(homedir(), '.cache') } = process.env;
  const folder = join(XDG_CACHE_HOME, 'trade-agent-tests', wanted.join('+'));
  const python = join(folder, 'bin', 'python');
  if (existsSync(python)) return python;
  if (!isInstalling) return undefined;
  try {
    mkdirSync(folder, { recursive: true });
    runProgram('python3', ['-m', 'venv', folder]);
    runProgram(python, ['-m', 'pip', 'install', '--quiet', '--only-binary', ':all:', ...wanted]);
    return python;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    process.stderr.write(`Skipped: there is no Python with ${wanted.join(' and ')} here: ${error}\n`);
    return undefined;
  }
}

/** Returns what a program prints. @throws if it fails */
export function runProgram(program: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    ...{ encoding: 'utf8', timeout: LIMIT_MS, maxBuffer: 256 * 1024 * 1024 },
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}
