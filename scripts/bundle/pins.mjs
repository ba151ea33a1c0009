import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The version of each dependency that lean-dependencies.mjs was checked for, and what to check in another version, which
 * may need the code that is left out.
 */
export const pins = [
  {
    package: '@langchain/core',
    version: '1.4.0',
    why: 'its modules only define things when they are loaded; a checkpoint names no class beside messages; it calls of langsmith what langsmith.mjs has; sixteen random bytes and SHA-1 are all that utils/uuid takes from Web Crypto; utils/stream.js releases its reader at the end for nothing but tidiness; no schema of zod 3 reaches it',
  },
  {
    package: '@langchain/langgraph',
    version: '1.7.3',
    why: 'of its modules dist/index.js alone does something when it is loaded (AsyncLocalStorage)',
  },
  {
    package: '@langchain/langgraph-checkpoint',
    version: '1.2.2',
    why: 'its modules only define things when they are loaded',
  },
  {
    package: '@langchain/langgraph-checkpoint-sqlite',
    version: '1.0.4',
    why: 'its modules only define things when they are loaded; it asks of better-sqlite3 what the ciphered build has',
  },
  {
    package: '@langchain/openai',
    version: '1.6.0',
    why: 'its modules only define things when they are loaded; it makes no schema that zod 4 has not',
  },
  {
    package: 'langsmith',
    version: '0.12.0',
    why: 'langsmith.mjs has what LangChain calls of it, with the same results and no network',
  },
  {
    package: 'acme-client',
    version: '5.4.0',
    why: 'only its `forge` export uses node-forge; src/net/acme uses none of it',
  },
  {
    package: 'string-width',
    version: '9.0.0',
    why: 'text that `narrow` in string-width.mjs matches has as many columns as characters (test/unit/bundle/string-width.test.ts)',
  },
  {
    package: 'better-sqlite3-multiple-ciphers',
    version: '13.0.3',
    why: 'lib/index.js does no more than sqlite.mjs: it finds prebuilds/PLATFORM-ARCH.node, and makes the class of lib/database.js; without the generated code for rows the slower way in lib/database.js gives the same rows',
  },
  {
    package: 'zod',
    version: '4.6.7',
    why: 'English is its default language; `jitless` in its configuration means no code is generated; the memoizer is for schemas and data that hold themselves alone; the "zod/v3" that LangChain imports is used for what zod 4 has too',
  },
  {
    package: 'commander',
    version: '15.1.0',
    why: 'lib/command.js needs child_process for executable subcommands alone',
  },
  {
    package: 'decimal.js',
    version: '10.6.0',
    why: 'LN10 and PI are made into Decimals at start for functions that parse the digits again; finalise leaves a number alone that has no more words than its digits may fill, but for exponents beyond maxE and minE',
  },
  {
    package: '@modelcontextprotocol/client',
    version: '2.4.0',
    why: 'what it warns of on the console is nothing that is not thrown or told otherwise, and stands in dist/public-*.mjs alone where a server has a say in it',
  },
  {
    package: 'pg-boss',
    version: '12.38.0',
    why: 'with `schedule: false` it makes its timekeeper, hears its events, reads `clockSkew` and stops it, and no more; `pgboss.schema` in its package.json is 46, the version that our first tables are of: from 47 on dist/migrationStore.js stays in; schemaManifest in dist/plans.js is for detectSchemaDrift() alone; and no text that goes into a table has lines that begin with blanks',
  },
  {
    package: 'yoga-layout',
    version: '3.2.1',
    why: 'loadYoga fills the object it is given before it returns, where the WebAssembly is compiled at once',
  },
  {
    package: 'ink',
    version: '8.0.0',
    why: 'the block `if (process.env.DEV)` in build/reconciler.js serves React’s developer tools alone',
  },
];

/** @param {string} root of the checkout */
export function installedVersion(root, name) {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;
}

/**
 * @param {(name: string) => string} installed the version of a package that is installed
 * @throws {Error} if a package has an unchecked version, with what to check and how to fix it
 */
export function checkPins(installed) {
  const breaches = pins.flatMap(({ package: name, version, why }) => {
    const found = installed(name);
    return found === version ? [] : [`${name} ${found} is installed, ${version} was checked. Look whether ${why}.`];
  });
  if (breaches.length === 0) return;
  throw new Error(
    `What the bundle leaves out of its dependencies (scripts/bundle/lean-dependencies.mjs) was checked for other versions:\n\n${breaches.join('\n\n')}\n\nWhere that holds, change the version in scripts/bundle/pins.mjs; where it does not, change the rule.`,
  );
}

/** @throws {Error} for a package without a pin, whose rule would apply to any version */
export function requirePin(name) {
  if (pins.some((pin) => pin.package === name)) return;
  throw new Error(`${name} has no version in scripts/bundle/pins.mjs, and something is left out of it`);
}
