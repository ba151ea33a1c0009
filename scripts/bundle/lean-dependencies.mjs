import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPins, installedVersion, requirePin } from './pins.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const standIn = (name) => join(here, name);
const crypto = "process.getBuiltinModule('node:crypto')";

/**
 * Leaves out of the bundle what libraries load at every start and this program never uses. The build fails if a rule no
 * longer matches, or if a library has a version that the rule was not checked for (pins.mjs), so that a rule can't
 * silently stop working or leave out needed code.
 * @param {(name: string) => string} installed the version of a package that is installed
 */
export function leanDependencies(installed = (name) => installedVersion(root, name)) {
  return {
    name: 'lean-dependencies',
    setup(build) {
      checkPins(installed);
      const unused = new Set();

      /** Replaces an imported package with a file. Required packages are kept, because they may be another version. */
      const replacePackage = (name, filter, file) => {
        requirePin(name);
        unused.add(filter);
        build.onResolve({ filter }, ({ importer, kind }) => {
          if (importer === file || kind !== 'import-statement') return undefined;
          unused.delete(filter);
          return { path: file };
        });
      };

      /** Changes the text of files. `change` throws or returns the same text if it does not recognize the file. */
      const rewrite = (filter, change) => {
        unused.add(filter);
        build.onLoad({ filter }, ({ path }) => {
          const text = readFileSync(path, 'utf8');
          const contents = change(text);
          if (contents !== text) unused.delete(filter);
          return { contents, resolveDir: dirname(path), loader: 'js' };
        });
      };
      /** Changes a file of a package. */
      const edit = (name, file, change) => {
        requirePin(name);
        rewrite(new RegExp(`/node_modules/${`${name}/${file}`.replaceAll('.', '\\.')}$`), change);
      };

      // LangChain's packages lack `sideEffects: false`, so that no module could be left out. Only LangGraph's entry has side
      // effects: it sets up AsyncLocalStorage for a run's configuration.
      const entry = /\/@langchain\/langgraph\/dist\/index\.js$/;
      unused.add(entry);
      build.onResolve({ filter: /^(\.|@langchain\/)/ }, async ({ path, pluginData, ...from }) => {
        if (pluginData === entry || (path.startsWith('.') && !from.importer.includes('/@langchain/'))) return undefined;
        const found = await build.resolve(path, { ...from, pluginData: entry });
        const [, name] = /node_modules\/(@langchain\/[^/]+)\//.exec(found.path) ?? [];
        if (name !== undefined) requirePin(name);
        if (entry.test(found.path)) unused.delete(entry);
        return { ...found, sideEffects: entry.test(found.path) };
      });

      // LangChain also supports zod 3 schemas. There are none here, so its own few schemas can use zod 4.
      replacePackage('zod', /^zod\/v3$/, join(root, 'node_modules/zod/v4/index.js'));

      // Tracing would send prompts and results to a service, see src/agent/run/create-agent.ts.
      replacePackage('langsmith', /^langsmith(\/|$)/, standIn('langsmith.mjs'));
      replacePackage('string-width', /^string-width$/, standIn('string-width.mjs'));
      // The LangGraph saver imports better-sqlite3. The ciphered build has the same API and encrypts at rest.
      const sqlite = 'better-sqlite3-multiple-ciphers';
      replacePackage(sqlite, /^better-sqlite3(-multiple-ciphers)?$/, standIn('sqlite.mjs'));

      // Its older crypto module, with node-forge (300 KB), is only for callers that still use it.
      edit('acme-client', 'src/index.js', (text) => text.replace("exports.forge = require('./crypto/forge');", ''));

      const core = '@langchain/core';
      const importMap = readFileSync(standIn('langchain-import-map.mjs'), 'utf8');
      edit(core, 'dist/load/import_map.js', () => importMap);

      // Avoids Web Crypto for sixteen random bytes, and a SHA-1 that Node has.
      edit(core, 'dist/utils/uuid/rng.js', (text) =>
        text.replace('crypto.getRandomValues(rnds8)', `${crypto}.randomFillSync(rnds8)`),
      );
      edit(core, 'dist/utils/uuid/v4.js', (text) => text.replaceAll('crypto.randomUUID', `${crypto}.randomUUID`));
      edit(
        core,
        'dist/utils/uuid/sha1.js',
        () => `export default (b) => ${crypto}.createHash('sha1').update(b).digest();`,
      );
      // Avoids canceling a finished stream, for which Node would create a second V8 context.
      edit(core, 'dist/utils/stream.js', (text) =>
        text.replace(/(if \(result\.done\) \{\s+)this\.reader\.releaseLock\(\);/, '$1'),
      );

      // A namespace import lets esbuild leave out unused parts.
      rewrite(/\/@langchain\/.*\.js$/, (text) =>
        text.replace(
          /import \{ z( as [\w$]+)? \} from (['"])(zod(?:\/[^'"]*)?)\2/g,
          (_, as = ' as z', _quote, from) => `import *${as} from '${from}'`,
        ),
      );

      // Error messages in fifty languages are half of zod's size, and only English is used.
      edit('zod', 'v4/locales/index.js', () => "export { default as en } from './en.js';");

      // zod compiles a schema to code before its first use, which only pays off after hundreds of uses. Most are used once.
      edit('zod', 'v4/core/core.js', (text) =>
        text.replace('(_a.__zod_globalConfig = {})', '(_a.__zod_globalConfig = { jitless: true })'),
      );

      // SQLite's rows work the same way.
      edit(sqlite, 'lib/database.js', (text) => text.replace("if (!keys.includes('__proto__'))", 'if (false)'));

      // zod memoizes for recursive schemas and data. No schema here is recursive.
      edit('zod', 'v4/classic/schemas.js', (text) =>
        text.replace(/if \(!core\.globalConfig\.memoizer\)\s+core\.config\(\{ memoizer: core\.memoizer\(\) \}\);/, ''),
      );

      // commander can start executables as subcommands. There are none here, and loading child_process takes time.
      edit('commander', 'lib/command.js', (text) =>
        text.replace("import childProcess from 'node:child_process';", 'const childProcess = undefined;'),
      );

      // decimal.js parses a thousand digits of ln 10 and pi at start, for functions that parse them again. Comparisons copy the
      // other number. Each text is matched for an exponent. Most rounded numbers have few digits and do not need the long
      // rounding function, which V8 compiles three times.
      edit('decimal.js', 'decimal.mjs', (text) =>
        text
          .replace(/^(LN10|PI) = new Decimal\(\1\);\r?$/gm, '')
          .replace(
            /(?<=^P\.comparedTo = P\.cmp = function \(y\) \{[^}]*?)\(y = new x\.constructor\(y\)\)\.d/m,
            '(y = isDecimalInstance(y) ? y : new x.constructor(y)).d',
          )
          .replace('(i = str.search(/e/i)) > 0', "(i = str.indexOf('e')) > 0 || (i = str.indexOf('E')) > 0")
          .replace(
            'function finalise(x, sd, rm, isTruncated) {',
            `function finalise(x, sd, rm, isTruncated) {
               var d = x.d, e = x.e, C = x.constructor;
               return d && !isTruncated && (sd == null || d.length * LOG_BASE <= sd) && e <= C.maxE && e >= C.minE
                 ? x : roundOff(x, sd, rm, isTruncated);
             }
             function roundOff(x, sd, rm, isTruncated) {`,
          ),
      );

      // A chunk can't use top-level await (chunk-functions.mjs), so Yoga's 80 kB are compiled synchronously.
      edit('yoga-layout', 'dist/src/index.js', (text) =>
        text.replace(
          'const Yoga = wrapAssembly(await loadYoga());',
          'const assembly = {}; loadYoga(assembly); const Yoga = wrapAssembly(assembly);',
        ),
      );
      edit('yoga-layout', 'dist/binaries/yoga-wasm-base64-esm.js', (text) =>
        text.replace(
          /if\(h\.instantiateWasm\)try\{return h\.instantiateWasm\(d,\s*a\)\}/,
          "try{const e=new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(H.slice(H.indexOf(',')+1),'base64')),d);a(e);return e.exports}",
        ),
      );
      // The MCP client prints warnings with unsanitized third-party text (a tool's name, a provider's answer).
      requirePin('@modelcontextprotocol/client');
      rewrite(/\/@modelcontextprotocol\/client\/dist\/public-[\w-]+\.mjs$/, (text) =>
        text.replaceAll('console.warn(', 'void ('),
      );
      // Only units of work add jobs. The scheduler that adds them by calendar needs three calendar libraries.
      const timekeeper = readFileSync(standIn('pg-boss-timekeeper.mjs'), 'utf8');
      edit('pg-boss', 'dist/timekeeper.js', () => timekeeper);
      // The tables only exist in the first version that we used, so no migrations are needed.
      const migrations = readFileSync(standIn('pg-boss-migrations.mjs'), 'utf8');
      edit('pg-boss', 'dist/migrationStore.js', () => migrations);
      // Removes the schema manifest, which is never compared, and the indentation of its SQL.
      edit('pg-boss', 'dist/plans.js', (text) =>
        text
          .replace(/^import schemaManifest from .*$/m, 'const schemaManifest = { partitioned: {} };')
          .replace(/\n +/g, '\n'),
      );
      // For React's developer tools.
      edit('ink', 'build/reconciler.js', (text) =>
        text.replace(/^if \(process\.env\['DEV'\] === 'true'\) \{$[\s\S]*?^\}$/gm, ''),
      );

      build.onEnd(() => {
        if (unused.size === 0) return;
        throw new Error(`nothing matched ${[...unused].join(', ')} (scripts/bundle/lean-dependencies.mjs)`);
      });
    },
  };
}
