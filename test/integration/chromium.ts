import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium as playwright } from 'playwright-core';
import { lock } from 'proper-lockfile';

const libraryFolders = [
  '/lib',
  '/usr/lib',
  '/lib64',
  '/usr/lib64',
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
];

const unpackFolder = join(tmpdir(), `trade-agent-chromium-${userInfo().uid}`);

/**
 * Flags of the packaged build that are left out: some switch off what a page is protected by, and tests need a browser
 * as people have; with `--single-process` the whole browser dies with the first context that is closed.
 */
const unwanted = [
  '--disable-web-security',
  '--allow-running-insecure-content',
  '--disable-site-isolation-trials',
  '--single-process',
];

/**
 * A real headless Chromium out of an npm package: nothing to install, nothing downloaded. It asks nobody on the
 * internet for anything. Close it when done.
 */
export async function launchChromium(): Promise<Browser> {
  // On a machine without NSS this makes the package unpack the libraries it ships; it is read at import.
  if (!libraryFolders.some((folder) => existsSync(join(folder, 'libnss3.so')))) {
    process.env.AWS_EXECUTION_ENV ??= 'AWS_Lambda_nodejs22.x';
  }
  // The package unpacks into the temporary folder under a fixed name: one user's binary is closed to another's tests.
  process.env.TMPDIR = unpackFolder;
  mkdirSync(unpackFolder, { recursive: true, mode: 0o700 });
  const { default: packaged } = await import('@sparticuz/chromium');
  const executablePath = await unpackOnce(() => packaged.executablePath());
  return playwright.launch({
    executablePath,
    env: { ...process.env, FONTCONFIG_FILE: fontSettings() },
    args: [
      ...packaged.args.filter((flag) => !unwanted.includes(flag)),
      '--no-sandbox',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
    headless: true,
    timeout: 30_000,
  });
}

/**
 * Fontconfig's settings that name the fonts of the package (Open Sans) and no others, so that text has the same size on
 * every machine, and one at all where the machine has no fonts. The package's own settings name folders of AWS Lambda.
 * @returns the file's path
 */
function fontSettings(): string {
  const file = join(unpackFolder, 'fonts.conf');
  const settings = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(unpackFolder, 'fonts')}</dir>
  <cachedir>${join(unpackFolder, 'fonts-cache')}</cachedir>
</fontconfig>
`;
  // Renamed into place, since other test files start their browsers meanwhile.
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, settings);
  renameSync(unfinished, file);
  return file;
}

/** Test files run side by side, and the package takes a half-written binary of another process for a whole one. */
async function unpackOnce(unpack: () => Promise<string>): Promise<string> {
  const release = await lock(unpackFolder, {
    retries: { retries: 120, minTimeout: 250, maxTimeout: 500 },
    stale: 30_000,
  });
  try {
    return await unpack();
  } finally {
    await release();
  }
}
