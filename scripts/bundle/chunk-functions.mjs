import { transform } from 'esbuild';
import { withoutBuiltinImports } from './node-builtins.mjs';

/**
 * A chunk as esbuild splits them (ES modules only) as a CommonJS function, for src/cli/bundle-loader.ts: what V8 has
 * compiled of a script can be kept with the functions that ran, of an ES module without them.
 */
export async function chunkAsFunction(code) {
  const { code: converted } = await transform(withoutBuiltinImports(withoutIdleNames(code)), {
    format: 'cjs',
    platform: 'node',
    target: 'node22.14',
    minifyWhitespace: true,
    define: { 'import.meta.url': '__url' },
    // Else import() stays, which only an ES module loader can do.
    supported: { 'dynamic-import': false },
    logLevel: 'warning',
  });
  // It is read as Latin-1, which is quicker than UTF-8. esbuild escapes what is beyond ASCII, but in expressions.
  const ascii = converted.replace(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  // Strict, as every ES module is.
  return `(function(exports,require,module,__url){"use strict";${ascii}\n})`;
}

/**
 * esbuild gives each function and class the name it had, of which most have it already: thousands of calls at every
 * start.
 * @param {string} code a chunk as esbuild prints it
 */
export function withoutIdleNames(code) {
  return code
    .replace(/(?<=[;{}])__name\(([\w$]+),"\1"\)(?:;|,(?=__name\()|(?=\}))/g, '')
    .replace(/\b([\w$]+)(=class(?: extends [\w$.]+)?\{)static\{__name\(this,"\1"\)\}/g, '$1$2')
    .replace(/\bclass ([\w$]+)((?: extends [\w$.]+)?\{)static\{__name\(this,"\1"\)\}/g, 'class $1$2');
}
