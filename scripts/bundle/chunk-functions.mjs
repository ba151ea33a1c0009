import { basename } from 'node:path';
import { parse } from 'acorn';
import { transform } from 'esbuild';
import { withoutBuiltinImports } from './node-builtins.mjs';

/**
 * Chunks as esbuild splits them (ES modules only) as CommonJS functions, for src/cli/start/bundle-loader.ts: what V8 has
 * compiled of a script can be kept with the functions that ran, of an ES module without them.
 *
 * What a chunk imports from another are plain variables: esbuild's own CommonJS asks a getter at each use, since a
 * module may give its variable another value later. Hardly any does, and for those it stays so.
 * @param {readonly {path: string, text: string}[]} chunks
 * @returns {Promise<{path: string, text: string}[]>}
 */
export async function chunksAsFunctions(chunks) {
  const modules = new Map(chunks.map(({ path, text }) => [`./${basename(path)}`, read(text)]));
  for (const name of modules.keys()) refuseCycle(modules, name, []);
  // What was left out of them may leave nothing.
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

/** The loader gives a chunk `require` and `__url`. */
async function asFunction(code) {
  const { code: text } = await transform(withoutBuiltinImports(code), {
    format: 'cjs',
    platform: 'node',
    target: 'node22.14',
    minifyWhitespace: true,
    // Else import() stays, which only an ES module loader can do.
    supported: { 'dynamic-import': false },
    logLevel: 'warning',
  });
  // It is read as Latin-1, which is quicker than UTF-8. esbuild escapes what is beyond ASCII, but in expressions.
  const ascii = text.replace(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  // Strict, as every ES module is.
  return `(function(exports,require,module,__url){"use strict";${ascii}\n})`;
}

/** What of a chunk other chunks, and their variables, are concerned with; and its idle names, to be cut out. */
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
      found.exports.push(
        ...node.specifiers.map(({ local, exported }) => ({ local: local.name, as: exported.name })),
      );
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

/** Of a chunk's text, with `require` and `module.exports`; what may change stays an import, for esbuild to look up. */
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

/** Two chunks that import each other would each need the other's variables before they have a value. */
function refuseCycle(modules, name, way) {
  if (way.includes(name)) throw new Error(`chunks import each other: ${[...way, name].join(' → ')}`);
  const module = modules.get(name);
  if (module.acyclic) return;
  for (const { from } of module.imports) refuseCycle(modules, from, [...way, name]);
  module.acyclic = true;
}

/**
 * esbuild gives each function and class the name it had, of which most have it already: thousands of calls at every
 * start. Cut out are `__name(f,"f")`, `f=__name(()=>…,"f")` and `class A{static{__name(this,"A")}}`.
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

/** What gives an anonymous function or class its name (ECMA-262, NamedEvaluation), and the function or class. */
function named(node, parent) {
  if (node.type === 'VariableDeclarator') return { target: node.id.name, value: node.init };
  if (node.type === 'AssignmentExpression' && node.operator === '=')
    return { target: node.left.name, value: node.right };
  if (node.type === 'Property' && !node.computed && parent?.type === 'ObjectExpression')
    return { target: node.key.name, value: node.value };
  return {};
}

/** Of `import.meta` the loader gives the URL alone. */
function urlOf({ type, computed, property }) {
  if (type === 'MemberExpression' && !computed && property.name === 'url') return '__url';
  throw new Error('a chunk knows import.meta.url, and nothing else of import.meta');
}

function isNaming(node) {
  return (
    node?.type === 'CallExpression' &&
    node.callee.name === '__name' &&
    typeof node.arguments[1]?.value === 'string'
  );
}

/** The variables that a node gives another value. */
function assignedBy(node) {
  if (node.type === 'UpdateExpression') return namesIn(node.argument);
  return /^(AssignmentExpression|For(In|Of)Statement)$/.test(node.type) ? namesIn(node.left) : [];
}

/** The variables that an assignment's left side gives a value. */
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
    // Within what is cut out already.
    if (start < at) continue;
    text += code.slice(at, start) + by;
    at = end;
  }
  return text + code.slice(at);
}
