import { posix } from 'node:path';
import type { Node } from 'typescript/unstable/ast';
import { isStringLiteral } from 'typescript/unstable/ast/is';
import { readParsed, type Source } from './sources.ts';

/** The folders of src, from the top of the house to its ground. Imports go down. */
export const rooms = [
  'cli',
  'app',
  'server',
  'mcp',
  'agent',
  'check',
  'schedule',
  'tools',
  'notify',
  'sandbox',
  'home',
  'gateway',
  'approval',
  'jobs',
  'store',
  'auth',
  'secrets',
  'config',
  'net',
  'machine',
  'trading',
  'oauth',
  'text',
  'errors',
  'values',
] as const;

export interface Breach {
  readonly file: string;
  /** What it imports: a source by its path from the root, else the package's name. */
  readonly imports: string;
  readonly rule: string;
}

/** A rule about one import. Undefined where it keeps to it. */
type Rule = (file: string, imports: string) => string | undefined;

const inFolder = (file: string, ...folders: readonly string[]) =>
  folders.some((folder) => file.startsWith(`src/${folder}/`));
const roomOf = (file: string) => /^src\/([^/]+)\//.exec(file)?.[1] ?? '';
const levelOf = (file: string) => (rooms as readonly string[]).indexOf(roomOf(file));

const downwards: Rule = (file, imports) => {
  if (levelOf(file) < 0) return `src/${roomOf(file)} has no place in the list of folders`;
  if (!imports.startsWith('src/')) return isPackage(imports) ? undefined : 'nothing outside of src is imported';
  if (levelOf(imports) < 0) return `src/${roomOf(imports)} has no place in the list of folders`;
  if (levelOf(file) <= levelOf(imports)) return undefined;
  return `imports go down the list: ${roomOf(imports)} is above ${roomOf(file)}`;
};

/** Where a person runs a gateway, a home or a sandbox of their own, or plays the phone of one. */
const hosts = ['app', 'cli', 'cli/commands'].flatMap((folder) =>
  ['gateway', 'home', 'phone', 'sandbox', 'server', 'demo'].map((name) => `${folder}/${name}`),
);

/** Where a receipt is verified: by the very code that looks at one before a gateway signs it. */
const verifying = (file: string, imports: string) =>
  file === 'src/app/receipts.ts' && inFolder(imports, 'approval/receipts');

/** Where rules are tried out on this machine: by the very code that decides at a gateway. */
const tryingOut = (file: string, imports: string) =>
  inFolder(file, 'app/policy') && inFolder(imports, 'gateway/policy');

const network: Rule = (file, imports) => {
  if (tryingOut(file, imports) || verifying(file, imports)) return undefined;
  const isClient = inFolder(file, 'agent', 'check', 'schedule', 'tools', 'notify', 'mcp');
  if (isClient && inFolder(imports, 'gateway', 'approval', 'home', 'sandbox'))
    return `between ${roomOf(file)} and ${roomOf(imports)} is the network`;
  if (inFolder(file, 'cli', 'app') && !inFolder(file, ...hosts) && inFolder(imports, 'gateway', 'approval'))
    return `between ${roomOf(file)} and ${roomOf(imports)} is the network, but for what runs a gateway here`;
  return undefined;
};

const kernel: Rule = (file, imports) => {
  if (!inFolder(file, 'approval')) return undefined;
  if (imports.startsWith('@langchain/')) return 'the approval kernel knows no LangGraph';
  const isServer =
    /^(?:node:)?(?:http|https|http2)$|^hono\b|^@hono\//.test(imports) || imports === 'src/net/http-server.ts';
  return isServer ? 'the approval kernel has no HTTP server' : undefined;
};

/** The last two are what a digest is made of: the same text always gives the same. */
const pure = ['zod', 'decimal.js', 'canonicalize', 'tinyqueue', 'node:crypto'];

const vocabulary: Rule = (file, imports) =>
  inFolder(file, 'trading', 'oauth', 'text', 'errors', 'values') && isPackage(imports) && !pure.includes(imports)
    ? 'the vocabulary is pure: it reads, sends and keeps nothing'
    : undefined;

/** Within src/agent: a run drives the graph, which asks a model; the planner is one, and reads words with the reader. */
const agentParts = ['run', 'graph', 'model', 'planner', 'reader'];
const insideAgent: Rule = (file, imports) => {
  const [from, to] = [file, imports].map((path) => agentParts.indexOf(/^src\/agent\/([^/]+)\//.exec(path)?.[1] ?? ''));
  if (from === undefined || to === undefined || from < 0 || to < 0 || from <= to) return undefined;
  return `inside src/agent imports go down: ${agentParts.join(', ')}`;
};

const rules: readonly Rule[] = [downwards, network, kernel, vocabulary, insideAgent];

/** Every import that breaks a rule, and every circle; none where the house is in order. */
export function breaches(sources: readonly Source[]): Breach[] {
  const graph = new Map(readParsed(sources, (parsed, { file }) => [file, importsOf(file, parsed.imports)]));
  const broken = [...graph].flatMap(([file, imported]) =>
    imported.flatMap((imports) =>
      rules.flatMap((rule) => {
        const broken = rule(file, imports);
        return broken === undefined ? [] : [{ file, imports, rule: broken }];
      }),
    ),
  );
  return [...broken, ...circles(graph), ...mutualFolders(graph)];
}

/** Folders inside a room that import each other, one breach for each pair: imports between them go one way. */
function mutualFolders(graph: ReadonlyMap<string, readonly string[]>): Breach[] {
  const folderOf = (file: string) => /^src\/[^/]+\/[^/]+(?=\/)/.exec(file)?.[0];
  const found = new Map<string, Breach>();
  for (const [file, imported] of graph)
    for (const imports of imported) {
      const [from, to] = [folderOf(file), folderOf(imports)];
      if (from === undefined || to === undefined || from === to || roomOf(file) !== roomOf(imports)) continue;
      found.set(`${from} ${to}`, { file, imports, rule: `${from} and ${to} import each other` });
    }
  return [...found].flatMap(([pair, breach]) => {
    const [from = '', to = ''] = pair.split(' ');
    return from < to && found.has(`${to} ${from}`) ? [breach] : [];
  });
}

/** What a source imports in any way: static, `export … from`, `import(…)`, and types alone. */
function importsOf(file: string, specifiers: readonly Node[]): string[] {
  const names = specifiers.flatMap((node) => (isStringLiteral(node) ? [node.text] : []));
  return [...new Set(names.map((name) => (name.startsWith('.') ? posix.join(posix.dirname(file), name) : name)))];
}

function isPackage(imports: string): boolean {
  return !/^(?:\.\.|src|test|bin|scripts)(?:\/|$)/.test(imports) && !imports.endsWith('.json');
}

/** Imports that lead back to where they come from, as one breach for each set of files that reach each other. */
function circles(graph: ReadonlyMap<string, readonly string[]>): Breach[] {
  const reach = new Map([...graph.keys()].map((file) => [file, reachable(graph, file)]));
  const told = new Set<string>();
  return [...graph.keys()].flatMap((file) => {
    if (told.has(file) || reach.get(file)?.has(file) !== true) return [];
    const circle = [...graph.keys()].filter((other) => reach.get(file)?.has(other) && reach.get(other)?.has(file));
    for (const other of circle) told.add(other);
    const imports = graph.get(file)?.find((next) => circle.includes(next)) ?? file;
    return [{ file, imports, rule: `no circles: ${circle.join(', ')}` }];
  });
}

/** Every source that one leads to. */
function reachable(graph: ReadonlyMap<string, readonly string[]>, from: string): Set<string> {
  const found = new Set<string>();
  const next = [...(graph.get(from) ?? [])];
  for (let file = next.pop(); file !== undefined; file = next.pop()) {
    if (found.has(file) || !graph.has(file)) continue;
    found.add(file);
    next.push(...(graph.get(file) ?? []));
  }
  return found;
}
