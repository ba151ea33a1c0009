// node scripts/release.mjs FOLDER: what a release consists of, made of the commit that is checked out and nothing else:
// the package as it is published, its bill of materials, the notes, and the digests of all of them, signed where
// RELEASE_KEY names an SSH key (docs/develop/RELEASING.md). It publishes nothing and changes nothing outside of FOLDER.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const [folder] = process.argv.slice(2);
const run = (command, args) =>
  execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();

function fail(text, hint) {
  console.error(`error: ${text}\nhint: ${hint}`);
  process.exit(2);
}

if (folder === undefined)
  fail('it takes a folder', 'Say where the release is to be written: node scripts/release.mjs out');
const out = resolve(folder);
if (existsSync(out) && readdirSync(out).length > 0) fail(`${folder} is not empty`, 'Name a new one.');
if (run('git', ['status', '--porcelain']) !== '')
  fail(
    'there are changes that are not committed',
    'A release is of a commit: commit them, or put them aside.',
  );
const notes = notesOf(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), version);
if (notes === undefined)
  fail(
    `CHANGELOG.md has no section "## ${version}"`,
    'Give what is under "Unreleased" the version of package.json.',
  );

// What is there already may have been changed since it was built.
rmSync(join(root, 'dist'), { recursive: true, force: true });
run(process.execPath, ['scripts/build.mjs']);
mkdirSync(out, { recursive: true });
const [{ filename }] = JSON.parse(
  run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', out]),
);
copyFileSync(join(root, 'dist/sbom.cdx.json'), join(out, `${name}-${version}.cdx.json`));
writeFileSync(join(out, 'notes.md'), `${notes}\n\nBuilt of commit ${run('git', ['rev-parse', 'HEAD'])}.\n`);
const files = readdirSync(out).sort();
const digest = (file) =>
  createHash('sha256')
    .update(readFileSync(join(out, file)))
    .digest('hex');
// As sha256sum writes and checks it.
writeFileSync(join(out, 'SHA256SUMS'), files.map((file) => `${digest(file)}  ${file}\n`).join(''));
const key = process.env.RELEASE_KEY;
if (key !== undefined) {
  run('ssh-keygen', ['-q', '-Y', 'sign', '-f', resolve(key), '-n', name, join(out, 'SHA256SUMS')]);
}
console.log(
  `${out}: ${filename}, ${files.length} files${key === undefined ? '; SHA256SUMS is not signed (RELEASE_KEY)' : ', SHA256SUMS signed'}`,
);

/** The text below a version's heading. */
function notesOf(changelog, wanted) {
  const [, section] = changelog.split(`\n## ${wanted}\n`);
  return section?.split('\n## ')[0]?.trim();
}
