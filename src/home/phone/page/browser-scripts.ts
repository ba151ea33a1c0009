import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

type BrowserScripts = Readonly<
  Record<'shell.js' | 'passkeys.js' | 'approvals.js' | 'dashboard.js' | 'service-worker.js', string>
>;

const entries = {
  shell: 'shell.ts',
  passkeys: 'passkeys.ts',
  approvals: 'approvals.ts',
  dashboard: 'dashboard.ts',
  'service-worker': 'worker/service-worker.ts',
};

let made: BrowserScripts | undefined;

/**
 * The sources in web/, each entry bundled into one module. Only where the program runs from its sources: in what is
 * shipped, scripts/bundle/browser-scripts.mjs has put the finished texts in this file's place.
 */
export function browserScripts(): BrowserScripts {
  made ??= bundled().scripts;
  return made;
}

/** @returns the scripts, and the files whose code is in them, from the project's root */
export function bundled(): {
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
    // What has passkeys that sync (Safari 16.4, Chrome 108) and Web Push in an installed page.
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
