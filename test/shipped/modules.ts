import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the checkout in which scripts/build-modules.mjs puts the sources as they are shipped. */
export const SHIPPED = 'dist-modules';

const root = fileURLToPath(new URL('../../', import.meta.url));
const source = join(root, 'src/');
const shipped = join(root, SHIPPED, '/');

/**
 * What is shipped of a module that a test imports; undefined for what is not.
 * @param importer the file that does
 */
export function shippedModule(specifier: string, importer: string): string | undefined {
  // What is shipped has a loader, which stays as it is.
  if (importer.startsWith(shipped) || importer.startsWith(source)) return undefined;
  if (specifier === '@hono/node-server') return join(shipped, `${specifier}.js`);
  const path = specifier.startsWith('file:') ? fileURLToPath(specifier) : specifier;
  const file = resolve(dirname(importer), path);
  if (!/^[./]/.test(path) || !file.startsWith(source) || !/\.tsx?$/.test(file)) return undefined;
  return join(shipped, 'src', file.slice(source.length).replace(/\.tsx?$/, '.js'));
}

/**
 * What Node is given, so that a process that a test starts from its source runs what the test itself runs: the sources,
 * or what is shipped of them.
 */
export const asHere: readonly string[] =
  process.env.TRADE_AGENT_SHIPPED === undefined ? [] : ['--import', new URL('./register.ts', import.meta.url).href];
