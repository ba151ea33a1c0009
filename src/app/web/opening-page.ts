import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePrivateFolder } from '../../machine/directories.ts';
import { writePrivateFile } from '../../machine/private-file.ts';
import type { App } from '../app.ts';

/** A file that leads a browser to an address. */
export interface OpeningPage {
  readonly file: string;
  remove(): void;
}

/**
 * What is given to a browser stands in its command line, which every user of this machine can read. So it is given the path of
 * a file that its owner alone can read, and the file has the address.
 */
export async function openingPage(app: Pick<App, 'home'>, url: string): Promise<OpeningPage> {
  const folder = ensurePrivateFolder((await app.home()).data);
  const file = join(folder, `web-${randomBytes(6).toString('hex')}.html`);
  writePrivateFile(
    file,
    `<!doctype html><meta charset="utf-8"><title>trade-agent</title><meta http-equiv="refresh" content="0;url=${url}"><p><a href="${url}">Open the dashboard</a></p>\n`,
  );
  return { file, remove: () => rmSync(file, { force: true }) };
}
