import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** The file in dist/ with the digest of a build's inputs. It is not part of the package. */
export const STAMP = 'dist/built-from.sha256';

/** Returns the digest of all inputs of a build: the source, the build scripts, and the packages. */
export function builtFrom() {
  const digest = createHash('sha256');
  const take = (path) => digest.update(`${path}\0`).update(readFileSync(join(root, path)));
  for (const file of ['package.json', 'package-lock.json', 'bin/trade-agent.js', 'LICENSE']) take(file);
  for (const folder of ['src', 'scripts']) {
    const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    for (const file of files.sort()) take(file.slice(root.length + 1));
  }
  return digest.digest('hex');
}

/** Returns whether dist/ was built from these inputs. @param {string} from a digest */
export function isBuilt(from) {
  try {
    return readFileSync(join(root, STAMP), 'utf8') === from;
  } catch {
    return false;
  }
}
