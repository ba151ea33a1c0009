import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPins, installedVersion, requirePin } from './pins.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const standIn = (name) => join(here, name);
const crypto = "process.getBuiltinModule('node:crypto')";

/**
 * Leaves out of the bundle what a library loads at every start and this program never uses. The build fails when a
 * library no longer has what a rule is about, and when it is of another version than the rule was checked for
 * (pins.mjs): a rule that stopped working, or that now leaves out what is needed, must not go unnoticed.
 * @param {(name: string) => string} installed the version of a package that is installed
 */
export function leanDependencies(installed = (name) => installedVersion(root, name)) {
  return {
    name: 'lean-dependencies',
    setup(build) {
      checkPins(installed);
      const unused = new Set();

      /** Another file in place of a package that is imported; not of one that is required, which may be another version. */
      const replacePackage = (name, filter, file) => {
        requirePin(name);
        unused.add(filter);
        build.onResolve({ filter }, ({ importer, kind }) => {
          if (importer === file || kind !== 'import-statement') return undefined;
          unused.delete(filter);
          return { path: file };
        });
      };

      /** A text changed; `change` throws or returns the same text when it does not know the file any more. */
      const rewrite = (filter, change) => {
        unused.add(filter);
        build.onLoad({ filter }, ({ path }) => {
          const text = readFileSync(path, 'utf8');
          const contents = change(text);
          if (contents !== text) unused.delete(filter);
          return { contents, resolveDir: dirname(path), loader: 'js' };
        });
      };
      /** A file of a package. */
      const edit = (name, file, change) => {
        requirePin(name);
        rewrite(new RegExp(`/node_modules/${`${name}/${file}`.replaceAll('.', '\\.')}$`), change);
      };

      // LangChain's packages don't say that their modules do nothing but define things, so that none could be left out.
      // LangGraph's entry alone does: it sets up what carries a run's configuration (AsyncLocalStorage).
      const entry = /\/@langchain\/langgraph\/dist\/index\.js$/;
      unused.add(entry);
      build.onResolve({ filter: /^(\.|@langchain\/)/ }, async ({ path, pluginData, ...from }) => {
        if (pluginData === entry || (path.startsWith('.') && !from.importer.includes('/@langchain/')))
          return undefined;
        const found = await build.resolve(path, { ...from, pluginData: entry });
        const [, name] = /node_modules\/(@langchain\/[^/]+)\//.exec(found.path) ?? [];
        if (name !== undefined) requirePin(name);
        if (entry.test(found.path)) unused.delete(entry);
        return { ...found, sideEffects: entry.test(found.path) };
      });

      // LangChain takes schemas of zod 3 too. There are none here, so the few it makes itself can be of zod 4.
      replacePackage('zod', /^zod\/v3$/, join(root, 'node_modules/zod/v4/index.js'));

      // Tracing would send prompts and results to a service; see src/agent/run/create-agent.ts.
      replacePackage('langsmith', /^langsmith(\/|$)/, standIn('langsmith.mjs'));
      replacePackage('string-width', /^string-width$/, standIn('string-width.mjs'));
      // The LangGraph saver asks for better-sqlite3; the ciphered build has the same API and encrypts at rest.
      const sqlite = 'better-sqlite3-multiple-ciphers';
      replacePackage(sqlite, /^better-sqlite3(-multiple-ciphers)?$/, standIn('sqlite.mjs'));

      const core = '@langchain/core';
      const importMap = readFileSync(standIn('langchain-import-map.mjs'), 'utf8');
      edit(core, 'dist/load/import_map.js', () => importMap);

      // Web Crypto, loaded for sixteen random bytes; and SHA-1, which Node has.
      edit(core, 'dist/utils/uuid/rng.js', (text) =>
        text.replace('crypto.getRandomValues(rnds8)', `${crypto}.randomFillSync(rnds8)`),
      );
      edit(core, 'dist/utils/uuid/v4.js', (text) =>
        text.replaceAll('crypto.randomUUID', `${crypto}.randomUUID`),
      );
      edit(
        core,
        'dist/utils/uuid/sha1.js',
        () => `export default (b) => ${crypto}.createHash('sha1').update(b).digest();`,
      );
      // A stream at its end is given up too, for which Node makes a second V8 context.
      edit(core, 'dist/utils/stream.js', (text) =>
        text.replace(/(if \(result\.done\) \{\s+)this\.reader\.releaseLock\(\);/, '$1'),
      );

      // Named so, the whole library is in use; as a namespace, esbuild can tell what of it is.
      rewrite(/\/@langchain\/.*\.js$/, (text) =>
        text.replace(
          /import \{ z( as [\w$]+)? \} from (['"])(zod(?:\/[^'"]*)?)\2/g,
          (_, as = ' as z', _quote, from) => `import *${as} from '${from}'`,
        ),
      );

      // Error messages in fifty languages, half of zod's size; English is the one in use.
      edit('zod', 'v4/locales/index.js', () => "export { default as en } from './en.js';");

      // zod compiles a schema to code before its first use, which pays after hundreds; most are used once.
      edit('zod', 'v4/core/core.js', (text) =>
        text.replace('(_a.__zod_globalConfig = {})', '(_a.__zod_globalConfig = { jitless: true })'),
      );

      // SQLite's rows, likewise.
      edit(sqlite, 'lib/database.js', (text) =>
        text.replace("if (!keys.includes('__proto__'))", 'if (false)'),
      );

      // zod remembers what it has parsed, for schemas and data that hold themselves. No schema here does.
      edit('zod', 'v4/classic/schemas.js', (text) =>
        text.replace(
          /if \(!core\.globalConfig\.memoizer\)\s+core\.config\(\{ memoizer: core\.memoizer\(\) \}\);/,
          '',
        ),
      );

      // commander starts other programs as subcommands; this one has none, and loading the module takes a while.
      edit('commander', 'lib/command.js', (text) =>
        text.replace("import childProcess from 'node:child_process';", 'const childProcess = undefined;'),
      );

      // Its thousand digits of ln 10 and of pi are parsed at start, for functions that parse them anyway. A comparison copies
      // the other number first, and only reads it. An exponent is looked for by a pattern in each text. What is rounded
      // mostly has no more digits than it may have, and needs none of the long function that V8 compiles three times.
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

      // A chunk can't wait while it is loaded (chunk-functions.mjs). Yoga's eighty kilobytes are compiled at once.
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
      // The MCP client warns on the console, in a stranger's words (a tool's name, a provider's answer) as they are.
      requirePin('@modelcontextprotocol/client');
      rewrite(/\/@modelcontextprotocol\/client\/dist\/public-[\w-]+\.mjs$/, (text) =>
        text.replaceAll('console.warn(', 'void ('),
      );
      // Jobs are put in by units of work alone; what would put them in by the calendar comes with three libraries of calendars.
      const timekeeper = readFileSync(standIn('pg-boss-timekeeper.mjs'), 'utf8');
      edit('pg-boss', 'dist/timekeeper.js', () => timekeeper);
      // Its tables are made in the version that they were first made in: there is none to bring them from.
      const migrations = readFileSync(standIn('pg-boss-migrations.mjs'), 'utf8');
      edit('pg-boss', 'dist/migrationStore.js', () => migrations);
      // What its tables should look like, for a comparison that nobody makes; and how far its SQL stands from the margin.
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
