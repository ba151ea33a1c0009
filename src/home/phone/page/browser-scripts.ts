import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

type BrowserScripts = Readonly<
  Record<'shell.js' | 'passkeys.js' | 'approvals.js' | 'dashboard.js' | 'chat.js' | 'service-worker.js', string>
>;

const entries = {
  shell: 'shell.ts',
  passkeys: 'passkeys.ts',
  approvals: 'approvals.ts',
  dashboard: 'dashboard.ts',
  chat: 'chat.tsx',
  'service-worker': 'worker/service-worker.ts',
};

let cachedScripts: BrowserScripts | undefined;

/**
 * Returns the browser scripts, each entry in web/ bundled into one module. Used only when running from source: in the
 * published package, scripts/bundle/browser-scripts.mjs replaces this file with the bundled scripts.
 */
export function getBrowserScripts(): BrowserScripts {
  cachedScripts ??= bundleScripts().scripts;
  return cachedScripts;
}

/** Bundles the scripts. @returns the scripts, and the paths of their source files, relative to the project's root */
export function bundleScripts(): {
  readonly scripts: BrowserScripts;
  readonly metafile: { readonly outputs: object };
} {
  const { buildSync } = createRequire(import.meta.url)('esbuild') as typeof import('esbuild');
  const folder = fileURLToPath(new URL('../web/', import.meta.url));
  const { outputFiles, metafile } = buildSync({
    absWorkingDir: fileURLToPath(new URL('../../../../', import.meta.url)),
    entryPoints: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, folder + file])),
    outdir: folder,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    // The first versions with synced passkeys (Safari 16.4, Chrome 108) and Web Push for installed pages.
    target: ['es2022', 'safari16.4', 'chrome108', 'firefox119'],
    minify: true,
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  const text = (name: string) => outputFiles.find(({ path }) => path.endsWith(`/${name}`))?.text ?? '';
  const names = Object.keys(entries).map((name) => `${name}.js`);
  return { scripts: Object.fromEntries(names.map((name) => [name, text(name)])) as BrowserScripts, metafile };
}
