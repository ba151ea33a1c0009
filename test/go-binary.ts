import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Somebody else's server, unmodified. */
export interface GoProgram {
  /** `openfga-v1.22.1`: what it is kept as. */
  readonly name: string;
  /** `github.com/openfga/openfga/cmd/openfga@v1.22.1` */
  readonly module: string;
  /**
   * For a module whose `go.mod` replaces others, which `go install` refuses, or whose versions the proxy does not list:
   * it is built in a module made for that. The lines that replace others.
   */
  readonly replaces?: readonly string[];
  /** Go's build tags. */
  readonly tags?: readonly string[];
  /** What Go names it. */
  readonly file: string;
  /** What building it takes, in words: `four to five minutes`. */
  readonly takes: string;
  /** Milliseconds after which that is given up. Undefined: only what was built before is used. */
  readonly limitMs: number | undefined;
}

/**
 * Built from Go's module proxy once, and kept in the user's cache.
 * @returns where it is, or why there is none on this machine
 */
export async function goBinary({
  name,
  module,
  file,
  replaces,
  tags = [],
  takes,
  limitMs,
}: GoProgram): Promise<{ binary: string } | { missing: string }> {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const folder = join(cache, 'trade-agent-tests', name);
  const binary = join(folder, file);
  if (existsSync(binary)) return { binary };
  if (limitMs === undefined) return { missing: `${file} is not installed` };
  if (!(await run('go', ['version']).catch(() => undefined))) return { missing: 'Go is not installed' };
  mkdirSync(folder, { recursive: true });
  process.stderr.write(`Building ${module}: ${takes} of processor time, once.\n`);
  try {
    const options = { timeout: limitMs, maxBuffer: 64 * 1024 * 1024 };
    if (replaces === undefined)
      await run('go', ['install', `-tags=${tags.join(',')}`, module], {
        ...options,
        env: { ...process.env, GOBIN: folder },
      });
    else await buildInModule(folder, { module, file, replaces, tags }, options);
  } catch {
    return { missing: `Go could not build ${module}` };
  }
  return existsSync(binary) ? { binary } : { missing: 'Go built something else' };
}

/** Builds in a module made for that, which replaces what the program's own does. */
async function buildInModule(
  folder: string,
  { module, file, replaces, tags }: Required<Pick<GoProgram, 'module' | 'file' | 'replaces' | 'tags'>>,
  options: { readonly timeout: number; readonly maxBuffer: number },
): Promise<void> {
  const [path = '', version = ''] = module.split('@');
  const [root] = path.split('/cmd/');
  const place = join(folder, `${file}-module`);
  mkdirSync(place, { recursive: true });
  writeFileSync(
    join(place, 'go.mod'),
    ['module built', 'go 1.22', `require ${root} ${version}`, ...replaces.map((line) => `replace ${line}`), ''].join(
      '\n',
    ),
  );
  const env = { ...process.env, GOFLAGS: '-mod=mod' };
  await run('go', ['build', `-tags=${tags.join(',')}`, '-o', join(folder, file), path], {
    ...options,
    cwd: place,
    env,
  });
}
