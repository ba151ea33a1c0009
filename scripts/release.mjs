// node scripts/release.mjs FOLDER: builds the files of a release from the checked-out commit: the package, its bill of
// materials, the MCP Registry's server.json if GITHUB_REPOSITORY names the repository, the notes, and the digests of all of them, signed if RELEASE_KEY names an SSH key
// (docs/develop/RELEASING.md). Publishes nothing, and changes nothing else but the build output.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { registryEntry } from './registry-entry.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const packageText = readFileSync(join(root, 'package.json'), 'utf8');
const packageJson = JSON.parse(packageText);
const { name, version } = packageJson;
const [folder] = process.argv.slice(2);
const run = (command, args) =>
  execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();

function fail(text, hint) {
  console.error(`error: ${text}\nhint: ${hint}`);
  process.exit(2);
}

if (folder === undefined)
  fail('the folder is missing', 'Pass the folder for the release: node scripts/release.mjs out');
const out = resolve(folder);
if (existsSync(out) && readdirSync(out).length > 0) fail(`${folder} is not empty`, 'Choose a new folder.');
if (run('git', ['status', '--porcelain']) !== '') fail('there are uncommitted changes', 'Commit or stash them.');
const notes = notesOf(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), version);
if (notes === undefined)
  fail(
    `CHANGELOG.md has no section "## ${version}"`,
    'Rename the "Unreleased" section to the version in package.json.',
  );

// Removes an existing build, which may have been modified.
rmSync(join(root, 'dist'), { recursive: true, force: true });
run(process.execPath, ['scripts/build.mjs']);
mkdirSync(out, { recursive: true });
const filename = packed(process.env.GITHUB_REPOSITORY);
copyFileSync(join(root, 'dist/sbom.cdx.json'), join(out, `${name}-${version}.cdx.json`));
writeFileSync(join(out, 'notes.md'), `${notes}\n\nBuilt of commit ${run('git', ['rev-parse', 'HEAD'])}.\n`);
const files = readdirSync(out).sort();
const digest = (file) =>
  createHash('sha256')
    .update(readFileSync(join(out, file)))
    .digest('hex');
// In the format of sha256sum.
writeFileSync(join(out, 'SHA256SUMS'), files.map((file) => `${digest(file)}  ${file}\n`).join(''));
const key = process.env.RELEASE_KEY;
if (key !== undefined) {
  run('ssh-keygen', ['-q', '-Y', 'sign', '-f', resolve(key), '-n', name, join(out, 'SHA256SUMS')]);
}
console.log(
  `${out}: ${filename}, ${files.length} files${key === undefined ? '; SHA256SUMS is not signed (RELEASE_KEY)' : ', SHA256SUMS signed'}`,
);

/** Packs the package. With a repository, the package names it, and `server.json` describes the release for the registry. */
function packed(repository) {
  const file = join(root, 'package.json');
  try {
    if (repository !== undefined) {
      const { members, server } = registryEntry(packageJson, repository);
      writeFileSync(file, JSON.stringify({ ...packageJson, ...members }));
      writeFileSync(join(out, 'server.json'), `${JSON.stringify(server, null, 2)}\n`);
    }
    return JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', out]))[0].filename;
  } finally {
    writeFileSync(file, packageText);
  }
}

/** Returns the text below a version's heading. */
function notesOf(changelog, wanted) {
  const [, section] = changelog.split(`\n## ${wanted}\n`);
  return section?.split('\n## ')[0]?.trim();
}
