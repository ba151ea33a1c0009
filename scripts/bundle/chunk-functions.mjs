import { basename } from 'node:path';
import { parse } from 'acorn';
import { transform } from 'esbuild';
import { withoutBuiltinImports } from './node-builtins.mjs';

/**
 * Converts esbuild's chunks (only ES modules can be split) to CommonJS functions, for src/cli/start/bundle-loader.ts. V8's
 * compiled code of a script includes the functions that ran; that of an ES module does not.
 *
 * Imports from other chunks become plain variables. esbuild's own CommonJS calls a getter at each use, because a module
 * may reassign its variable later. Only the few variables that are reassigned keep the getter.
 * @param {readonly {path: string, text: string}[]} chunks
 * @returns {Promise<{path: string, text: string}[]>}
 */
export async function chunksAsFunctions(chunks) {
  const modules = new Map(chunks.map(({ path, text }) => [`./${basename(path)}`, read(text)]));
  for (const name of modules.keys()) refuseCycle(modules, name, []);
  // A chunk may be empty after tree shaking.
  const isEmpty = ({ path }) => modules.get(`./${basename(path)}`).empty;
  for (const module of modules.values()) {
    module.imports = module.imports.filter(({ from }) => !isEmpty({ path: from }));
  }
  const isLive = (from, exported) => {
    const { live, exports, imports } = modules.get(from);
    const local = exports.find(({ as }) => as === exported)?.local;
    const passedOn = imports.flatMap((one) =>
      one.specifiers.filter(({ as }) => as === local).map(({ imported }) => [one.from, imported]),
    );
    return live.has(local) || passedOn.some(([next, name]) => isLive(next, name));
  };
  return Promise.all(
    chunks
      .filter((chunk) => !isEmpty(chunk))
      .map(async ({ path }) => {
        const text = modules.get(`./${basename(path)}`);
        return { path, text: await asFunction(converted(text, isLive)) };
      }),
  );
}

/** Wraps a chunk in a function that gets `require` and `__url` from the loader. */
async function asFunction(code) {
  const { code: text } = await transform(withoutBuiltinImports(code), {
    format: 'cjs',
    platform: 'node',
    target: 'node22.14',
    minifyWhitespace: true,
    // Otherwise import() would stay, which only works in ES modules.
    supported: { 'dynamic-import': false },
    logLevel: 'warning',
  });
  // Chunks are read as Latin-1, which is faster than UTF-8. esbuild escapes non-ASCII characters except in regexes.
  const ascii = text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  // Strict mode, like every ES module.
  return `(function(exports,require,module,__url){"use strict";${ascii}\n})`;
}

/** Returns a chunk's imports, exports and reassigned exports, and the edits that remove its idle names. */
function read(code) {
  const program = parse(code, { ecmaVersion: 'latest', sourceType: 'module' });
  const empty = program.body.length === 0;
  const found = { code, empty, imports: [], exports: [], live: new Set(), edits: [] };
  const cut = ({ start, end }, by = '') => found.edits.push({ start, end, by });
  for (const node of program.body) {
    if (node.type === 'ImportDeclaration' && node.source.value.startsWith('./')) {
      const specifiers = node.specifiers.map(({ imported, local }) => ({
        imported: imported.name,
        as: local.name,
      }));
      found.imports.push({ from: node.source.value, specifiers });
      cut(node);
    } else if (node.type === 'ExportNamedDeclaration') {
      found.exports.push(...node.specifiers.map(({ local, exported }) => ({ local: local.name, as: exported.name })));
      cut(node);
    } else if (node.type === 'ExportDefaultDeclaration') {
      found.exports.push({ local: '__default', as: 'default' });
      cut({ start: node.start, end: node.declaration.start }, 'const __default=');
    }
  }
  visit(program, (node, parent) => {
    for (const name of assignedBy(node)) found.live.add(name);
    if (node.type === 'ImportExpression' && /^"\.\//.test(node.source.raw ?? '')) {
      cut(node, `Promise.resolve().then(()=>require(${node.source.raw}))`);
    }
    if (node.type === 'MetaProperty' && node.meta.name === 'import') cut(parent, urlOf(parent));
    cutIdleName(node, parent, cut);
  });
  return found;
}

/** Returns a chunk's code with `require` and `module.exports`. Reassigned variables stay imports. */
function converted({ code, imports, exports, live, edits }, isLive) {
  const requires = imports.map(({ from, specifiers }) => {
    const settled = specifiers.filter(({ imported }) => !isLive(from, imported));
    const names = settled.map(({ imported, as }) => (imported === as ? as : `${imported}:${as}`));
    return names.length > 0 ? `var{${names.join()}}=require("${from}");` : `require("${from}");`;
  });
  const changing = new Set();
  const lookups = imports.flatMap(({ from, specifiers }) => {
    const some = specifiers.filter(({ imported }) => isLive(from, imported));
    for (const { as } of some) changing.add(as);
    const names = some.map(({ imported, as }) => (imported === as ? as : `${imported} as ${as}`));
    return names.length > 0 ? [`import{${names.join()}}from"${from}";`] : [];
  });
  const values = exports.map(({ local, as }) => {
    if (live.has(local) || changing.has(local)) return `get ${as}(){return ${local}}`;
    return local === as ? as : `${as}:${local}`;
  });
  const end = values.length > 0 ? `module.exports={${values.join()}};` : '';
  return `${lookups.join('')}${requires.join('')}${edited(code, edits)}${end}`;
}

/** Rejects import cycles between chunks, which would read variables before they are initialized. */
function refuseCycle(modules, name, way) {
  if (way.includes(name)) throw new Error(`chunks import each other: ${[...way, name].join(' → ')}`);
  const module = modules.get(name);
  if (module.acyclic) return;
  for (const { from } of module.imports) refuseCycle(modules, from, [...way, name]);
  module.acyclic = true;
}

/**
 * esbuild sets the name of each function and class, although most have it already: thousands of calls at every start.
 * Removes `__name(f,"f")`, `f=__name(()=>…,"f")` and `class A{static{__name(this,"A")}}`.
 */
function cutIdleName(node, parent, cut) {
  if (node.type === 'ExpressionStatement') cutIdleCalls(node, cut);
  if (/^Class(Declaration|Expression)$/.test(node.type)) cutIdleBlock(node, parent, cut);
  const { target, value } = named(node, parent);
  if (!givesName(value, target)) return;
  const [first] = value.arguments;
  if (/^(Arrow)?FunctionExpression$/.test(first.type) && !first.id) {
    cut({ start: value.start, end: first.start });
    cut({ start: first.end, end: value.end });
  }
}

function cutIdleCalls(statement, cut) {
  const { expression } = statement;
  const calls = expression.type === 'SequenceExpression' ? expression.expressions : [expression];
  const isIdle = (call) => isNaming(call) && givesName(call, call.arguments[0].name);
  const last = calls.findLastIndex((call) => !isIdle(call));
  if (last < 0) return cut(statement);
  for (const [index, call] of calls.entries()) {
    if (index < last && isIdle(call)) cut({ start: call.start, end: calls[index + 1].start });
  }
  cut({ start: calls[last].end, end: calls.at(-1).end });
}

function cutIdleBlock(node, parent, cut) {
  const name = node.id?.name ?? named(parent, undefined).target;
  const [first] = node.body.body;
  const [statement, more] = first?.type === 'StaticBlock' ? first.body : [];
  if (more !== undefined || !givesName(statement?.expression, name)) return;
  if (statement.expression.arguments[0].type === 'ThisExpression') cut(first);
}

function givesName(call, name) {
  return isNaming(call) && name !== undefined && call.arguments[1].value === name;
}

/** Returns an anonymous function or class and what names it (ECMA-262, NamedEvaluation). */
function named(node, parent) {
  if (node.type === 'VariableDeclarator') return { target: node.id.name, value: node.init };
  if (node.type === 'AssignmentExpression' && node.operator === '=')
    return { target: node.left.name, value: node.right };
  if (node.type === 'Property' && !node.computed && parent?.type === 'ObjectExpression')
    return { target: node.key.name, value: node.value };
  return {};
}

/** The loader only provides the URL of `import.meta`. */
function urlOf({ type, computed, property }) {
  if (type === 'MemberExpression' && !computed && property.name === 'url') return '__url';
  throw new Error('a chunk knows import.meta.url, and nothing else of import.meta');
}

function isNaming(node) {
  return (
    node?.type === 'CallExpression' && node.callee.name === '__name' && typeof node.arguments[1]?.value === 'string'
  );
}

/** Returns the variables that a node reassigns. */
function assignedBy(node) {
  if (node.type === 'UpdateExpression') return namesIn(node.argument);
  return /^(AssignmentExpression|For(In|Of)Statement)$/.test(node.type) ? namesIn(node.left) : [];
}

/** Returns the variables on the left side of an assignment. */
function namesIn(pattern) {
  switch (pattern?.type) {
    case 'Identifier':
      return [pattern.name];
    case 'ObjectPattern':
      return pattern.properties.flatMap((property) => namesIn(property.value ?? property));
    case 'ArrayPattern':
      return pattern.elements.flatMap(namesIn);
    case 'AssignmentPattern':
      return namesIn(pattern.left);
    case 'RestElement':
      return namesIn(pattern.argument);
    default:
      return [];
  }
}

function visit(node, at, parent) {
  at(node, parent);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child?.type === 'string') visit(child, at, node);
    }
  }
}

function edited(code, edits) {
  let at = 0;
  let text = '';
  for (const { start, end, by } of edits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    // Inside a part that is already removed.
    if (start < at) continue;
    text += code.slice(at, start) + by;
    at = end;
  }
  return text + code.slice(at);
}
