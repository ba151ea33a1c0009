import { builtinModules } from 'node:module';

const names = builtinModules
  .filter((name) => !name.startsWith('_'))
  .map((name) => name.replace(/^node:/, ''));
const statement = new RegExp(
  `(?<=^|[;}\\n])import\\s*([\\w$]+)?\\s*,?\\s*(?:\\{([^{}]*)\\}|\\*\\s*as\\s+([\\w$]+))?\\s*from\\s*"(?:node:)?(${names.join('|')})";`,
  'g',
);

/**
 * Node's own modules by `process.getBuiltinModule`, not by `import`. An ES import of one reads every export it has, and
 * so loads what hides behind its getters (Web Crypto, encodings, undici): milliseconds for each, at every start.
 * @param {string} code a chunk as esbuild prints it; the imports end up first, as imports are hoisted
 */
export function withoutBuiltinImports(code) {
  const lines = [];
  const rest = code.replace(statement, (_, standard, named, all, name) => {
    const module = `process.getBuiltinModule("node:${name}")`;
    if (standard !== undefined) lines.push(`const ${standard}=${module};`);
    if (all !== undefined) lines.push(`const ${all}=${module};`);
    if (named !== undefined)
      lines.push(
        ['child_process', 'readline/promises'].includes(name)
          ? atCall(named, module)
          : destructure(named, module),
      );
    return '';
  });
  return lines.join('') + rest;
}

/** `a,b as c,default as d` as declarations. */
function destructure(named, module) {
  const parts = named.split(',').map((part) => part.trim().split(/\s+as\s+/));
  const fields = parts
    .filter(([from]) => from !== 'default')
    .map(([from, to]) => (to ? `${from}:${to}` : from));
  const standard = parts.filter(([from]) => from === 'default').map(([, to]) => `const ${to}=${module};`);
  return standard.join('') + (fields.length > 0 ? `const{${fields.join(',')}}=${module};` : '');
}

/** Functions that look for their module when they are called: most commands never start another program. */
function atCall(named, module) {
  return named
    .split(',')
    .map((part) => part.trim().split(/\s+as\s+/))
    .map(([from, to = from]) => `const ${to}=(...args)=>${module}.${from}(...args);`)
    .join('');
}
