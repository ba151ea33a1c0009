import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;
// Beside the sources, so that what it is built with can be linked rather than copied.
mkdirSync(join(root, 'test-results'), { recursive: true });
const elsewhere = mkdtempSync(join(root, 'test-results', 'built-again-'));
afterAll(() => rmSync(elsewhere, { recursive: true, force: true, maxRetries: 5 }));

const LIMIT_MS = 170_000;
const out = join(elsewhere, 'out');
const key = join(elsewhere, '.git', 'release-key');
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  name: string;
  version: string;
};

function digests(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => statSync(join(folder, file)).isFile())
    // esbuild's own account of what it did, which is not packed.
    .filter((file) => file !== 'metafile.json')
    .sort();
  return Object.fromEntries(
    files.map((file) => [
      file,
      createHash('sha256')
        .update(readFileSync(join(folder, file)))
        .digest('hex'),
    ]),
  );
}

const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.com', ...args], {
    cwd: elsewhere,
    timeout: 60_000,
  });
const release = (folder: string) =>
  spawnSync(process.execPath, ['scripts/release.mjs', folder], {
    cwd: elsewhere,
    encoding: 'utf8',
    timeout: LIMIT_MS,
    env: { PATH: process.env.PATH, HOME: elsewhere, RELEASE_KEY: key, GITHUB_REPOSITORY: 'acme/trade-agent' },
  });

/** A release is made of a commit, and signed by SSH. */
const missing = ['git', 'ssh-keygen'].filter((command) => spawnSync(command, ['--help']).error !== undefined);
const needs = missing.length === 0 ? '' : ` (needs ${missing.join(' and ')})`;

describe.skipIf(needs !== '')(`a release of the same sources in another folder${needs}`, () => {
  beforeAll(() => {
    const parts = ['src', 'scripts', 'bin', 'docs', 'package.json', 'package-lock.json', '.gitignore', 'README.md'];
    for (const part of [...parts, 'LICENSE', 'CHANGELOG.md', 'tsconfig.json', 'tsconfig.library.json']) {
      cpSync(join(root, part), join(elsewhere, part), { recursive: true });
    }
    // Hard links: a symbolic one would be followed, and the same files built.
    execFileSync('cp', ['-al', join(root, 'node_modules'), elsewhere], { timeout: 60_000 });
    git('init', '--quiet');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', key]);
  });

  it('is refused for what is not committed, and for a version without notes', { timeout: 60_000 }, () => {
    expect(release('out')).toMatchObject({ status: 2, stderr: expect.stringContaining('uncommitted changes') });
    git('add', '--all');
    git('commit', '--quiet', '--message', 'all of it');
    expect(release('out')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(`no section "## ${version}"`),
    });
    expect(readdirSync(elsewhere)).not.toContain('out');
  });

  it('is built the same to the last byte, and signed', { timeout: LIMIT_MS }, () => {
    const changelog = join(elsewhere, 'CHANGELOG.md');
    writeFileSync(changelog, readFileSync(changelog, 'utf8').replace('\n## Unreleased\n', `\n## ${version}\n`));
    git('commit', '--quiet', '--all', '--message', `${version}`);
    const { status, stderr } = release('out');
    expect([status, stderr]).toEqual([0, expect.any(String)]);

    const made = digests(join(root, 'dist'));
    expect(Object.keys(made).length).toBeGreaterThan(50);
    expect(digests(join(elsewhere, 'dist'))).toEqual(made);

    const files = ['notes.md', 'server.json', `${name}-${version}.cdx.json`, `${name}-${version}.tgz`];
    expect(readdirSync(out).sort()).toEqual(['SHA256SUMS', 'SHA256SUMS.sig', ...files]);
    // The package names the repository and the registry's entry; the sources are left as they were.
    const tar = ['-xzOf', join(out, `${name}-${version}.tgz`), 'package/package.json'];
    expect(JSON.parse(execFileSync('tar', tar, { encoding: 'utf8' }))).toMatchObject({
      repository: { type: 'git', url: 'git+https://github.com/acme/trade-agent.git' },
      mcpName: JSON.parse(readFileSync(join(out, 'server.json'), 'utf8')).name,
    });
    expect(git('status', '--porcelain', '--', 'package.json').toString()).toBe('');
    execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: out });
    const signer = readFileSync(`${key}.pub`, 'utf8');
    writeFileSync(join(out, 'allowed'), `release@trade-agent ${signer}`);
    const verify = ['-Y', 'verify', '-f', 'allowed', '-I', 'release@trade-agent', '-n', name, '-s', 'SHA256SUMS.sig'];
    const sums = readFileSync(join(out, 'SHA256SUMS'), 'utf8');
    expect(spawnSync('ssh-keygen', verify, { cwd: out, input: sums }).status).toBe(0);
    expect(spawnSync('ssh-keygen', verify, { cwd: out, input: sums.replace(/^./, '_') }).status).not.toBe(0);
    expect(readFileSync(join(out, 'notes.md'), 'utf8')).toMatch(
      /The first version[\s\S]*Built of commit [0-9a-f]{40}\.\n$/,
    );
    expect(release('out')).toMatchObject({ status: 2, stderr: expect.stringContaining('not empty') });
  });

  it('says what is in it as CycloneDX has it', () => {
    const bom = JSON.parse(readFileSync(join(root, 'dist/sbom.cdx.json'), 'utf8')) as {
      specVersion: string;
      components: { purl: string; hashes?: object[]; licenses?: object[]; properties: { value: string }[] }[];
    };
    expect(bom.specVersion).toBe('1.6');
    const installed = bom.components.filter(({ properties: [how] }) => how?.value === 'installed');
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    expect(installed).toHaveLength(Object.keys(dependencies).length);
    // What is installed is pinned.
    expect(Object.values(dependencies).filter((one) => !/^(npm:@[\w/-]+@)?\d+\.\d+\.\d+$/.test(one))).toEqual([]);
    expect(bom.components.length).toBeGreaterThan(100);
    expect(bom.components.filter(({ hashes, licenses }) => !hashes || !licenses)).toEqual([]);
  });
});
