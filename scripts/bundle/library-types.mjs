import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';

/**
 * Returns the types of src/app/index.ts, including zod's, in one text, because users of the library do not have its
 * dependencies installed.
 * @param {string} folder within the checkout, for the declarations as tsc writes them; removed at the end
 * @throws {Error} if they name a package, which users would lack
 */
export async function libraryTypes(root, folder) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.library.json', '--outDir', folder], {
    cwd: root,
    stdio: 'inherit',
  });
  const bundle = await rolldown({
    input: { index: join(folder, 'app/index.d.ts') },
    external: (name) => !/^[./]/.test(name) && name !== 'zod',
    plugins: [zodTypes(root), dts({ dtsInput: true, emitDtsOnly: true, tsconfig: false, generator: 'oxc' })],
  });
  const { output } = await bundle.generate({ format: 'es' });
  rmSync(folder, { recursive: true, force: true });
  const [{ code }] = output;
  // Examples in comments may name packages.
  const declarations = code.replace(/\/\*[\s\S]*?\*\//g, '');
  const named = [...declarations.matchAll(/(?:from |import\()["']([^"']+)["']/g)].map(([, name]) => name);
  const missing = [...new Set(named)].filter((name) => !isBuiltin(name));
  if (output.length === 1 && missing.length === 0) return code;
  throw new Error(
    `the types of src/app/index.ts name ${missing.join(', ')}, which a program that imports trade-agent has not: export less, or mark the option that names it @internal`,
  );
}

/** Returns zod's declarations without its fifty locales, which no type uses. */
function zodTypes(root) {
  const entry = join(root, 'node_modules/zod/index.d.ts');
  return {
    name: 'zod-types',
    resolveId: (specifier) => (specifier === 'zod' ? entry : undefined),
    load: (file) => (/\/zod\/v4\/locales\/index\.d\.c?ts$/.test(file) ? 'export {};' : undefined),
  };
}
