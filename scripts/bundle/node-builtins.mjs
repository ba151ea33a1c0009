import { builtinModules } from 'node:module';

const names = builtinModules.filter((name) => !name.startsWith('_')).map((name) => name.replace(/^node:/, ''));
const statement = new RegExp(
  `(?<=^|[;}\\n])import\\s*([\\w$]+)?\\s*,?\\s*(?:\\{([^{}]*)\\}|\\*\\s*as\\s+([\\w$]+))?\\s*from\\s*"(?:node:)?(${names.join('|')})";`,
  'g',
);

/**
 * Replaces imports of Node's modules with `process.getBuiltinModule`. An ES import reads all exports, and so loads the
 * code behind their getters (Web Crypto, encodings, undici), which takes milliseconds at every start.
 * @param {string} code a chunk as esbuild prints it; the imports end up first, as imports are hoisted
 */
export function withoutBuiltinImports(code) {
  const lines = [];
  const rest = code.replace(statement, (_, standard, named, all, name) => {
    // `process` itself may be imported.
    const module = `globalThis.process.getBuiltinModule("node:${name}")`;
    if (standard !== undefined) lines.push(`const ${standard}=${module};`);
    if (all !== undefined) lines.push(`const ${all}=${module};`);
    if (named !== undefined) lines.push(declarations(named, module, atCall[name] ?? []));
    return '';
  });
  return lines.join('') + rest;
}

/**
 * Functions whose module is loaded when they are called, because most commands never start a program or ask a question.
 */
const atCall = { child_process: ['spawn'], 'readline/promises': ['createInterface'] };

/** Converts `a,b as c,default as d` to declarations. */
function declarations(named, module, late) {
  const parts = named.split(',').map((part) => part.trim().split(/\s+as\s+/));
  const lines = [];
  const fields = [];
  for (const [from, to = from] of parts) {
    if (from === 'default') lines.push(`const ${to}=${module};`);
    else if (late.includes(from)) lines.push(`const ${to}=(...args)=>${module}.${from}(...args);`);
    else fields.push(from === to ? from : `${from}:${to}`);
  }
  if (fields.length > 0) lines.push(`const{${fields.join(',')}}=${module};`);
  return lines.join('');
}
