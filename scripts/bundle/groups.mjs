import { isBuiltin } from 'node:module';

/**
 * The stages of a run with the planner, in order. Each group of sources that load together starts with these files, and
 * the rest is derived from them. Loading a group also loads all earlier ones.
 */
export const steps = {
  // The command line, and what a command needs to call the gateway or print a table.
  session: ['src/cli/commands/run/run.ts', 'src/tools/gateway/gateway-client.ts', 'src/cli/text/reports.ts'],
  // The agent and its state, enough to list approvals.
  agent: ['src/app/start-agent.ts'],
  // The graph, the planner and their dependencies.
  run: ['src/agent/run/runner.ts', 'src/store/sqlite/history-saver.ts', 'src/agent/planner/planner.ts'],
};

/**
 * The server, which needs all groups above. As a later group it loads them as they are; otherwise esbuild would split them
 * into shared files. No other source joins it, because others need its lazy imports, too.
 */
export const beyond = {
  server: [
    'src/app/server/serve-server.ts',
    'src/app/server/serve-worker.ts',
    'src/store/postgres/state/history-saver.ts',
  ],
};

/** Sources that a run rarely needs. They stay lazy, however small they are. */
const SELDOM = [
  'src/app/alerts.ts',
  'src/app/own-rules.ts',
  'src/app/portfolio/account-history.ts',
  // For profiles whose agent runs on a server.
  'src/app/server/server-profile.ts',
  'src/agent/remote/remote-agent.ts',
  'src/app/schedule/server-schedules.ts',
  'src/app/mcp/servers.ts',
  'src/auth/session/adopt-refresh-token.ts',
  'src/cli/format/csv.ts',
  'src/cli/format/csv-lists.ts',
  'src/store/sqlite/check-store.ts',
  'src/tools/performance.ts',
];
/** The planner's sentences in other languages, each of which is read only if its language was written. */
const CATALOGS = 'src/agent/planner/catalogs/';
const isSeldom = (file) => SELDOM.includes(file) || file.startsWith(CATALOGS);

/**
 * Lazy imports up to this many bytes in the bundle are merged into the group of their importer, because opening another
 * file takes longer than reading unused code.
 */
const SMALL_BYTES = 80 * 1024;
/** Code that a later group shares with separate sources joins the first group up to this size, instead of another file. */
const SHARED_BYTES = 32 * 1024;

/**
 * Decides which sources are loaded together, from esbuild's metafile of a build without groups.
 *
 * A lazily imported source joins the first group to which it adds little code. The commands that the entry chooses from
 * stay lazy, and sources that no run needs stay separate.
 * @param {import('esbuild').Metafile} metafile
 * @param {string} entry the program's
 * @param {Record<string, string[]>} starts by group; see `steps`
 * @param {number} small bytes
 * @param {number} tiny bytes
 * @returns {{groups: {name: string, files: string[], shared?: string[], after?: string}[], later: Set<string>}} the lazily
 *   imported sources of each group, and those in no group; `shared` sources are not lazily imported and only included
 */
export function findGroups(
  metafile,
  entry,
  starts = steps,
  small = SMALL_BYTES,
  tiny = SHARED_BYTES,
  last = starts === steps ? beyond : {},
) {
  const { inputs } = metafile;
  const bytes = bytesOf(metafile);
  const importsOf = (file, kind) =>
    inputs[file].imports.filter((one) => one.kind === kind && Object.hasOwn(inputs, one.path)).map(({ path }) => path);
  const lazy = new Set(
    Object.keys(inputs)
      .flatMap((file) => importsOf(file, 'dynamic-import'))
      .filter((file) => file.startsWith('src/')),
  );
  if (!Object.hasOwn(inputs, entry)) throw new Error(`${entry}, the program's entry, is not in the bundle`);
  for (const [name, files] of Object.entries({ ...starts, ...last })) {
    const gone = files.find((file) => !lazy.has(file));
    if (gone !== undefined)
      throw new Error(
        `no source imports ${gone} lazily, with which scripts/bundle/groups.mjs begins the group "${name}": if it moved, say there where to`,
      );
  }

  /** Returns `file` and its dependencies that are not `known` yet. */
  const closure = (file, known) => {
    const found = new Set();
    const visit = (next) => {
      if (found.has(next) || known.has(next)) return;
      found.add(next);
      for (const kind of ['import-statement', 'require-call']) importsOf(next, kind).forEach(visit);
    };
    visit(file);
    return found;
  };
  /** Sources that load a binary are large, whatever the size of their code. */
  const loadsMore = (file) =>
    inputs[file].imports.some(
      ({ path, external, kind }) => external && kind !== 'dynamic-import' && /^[@a-z]/.test(path) && !isBuiltin(path),
    );
  const weight = (files) =>
    [...files].reduce((sum, file) => sum + (loadsMore(file) ? Infinity : (bytes.get(file) ?? 0)), 0);

  const there = closure(entry, new Set());
  const taken = new Set(Object.values(starts).flat());
  const passed = new Set([...taken].flatMap((file) => [...closure(file, new Set())]));
  const groups = Object.entries(starts).map(([name, start], index, all) => {
    const files = [...start];
    for (const file of start.flatMap((one) => [...closure(one, there)])) there.add(file);
    /** Returns sources that a run may reach from the group, or that another group needs. */
    const candidates = () => {
      const reached = [...there].filter((file) => file !== entry).flatMap((file) => importsOf(file, 'dynamic-import'));
      const wanted = [...lazy].filter((file) => reached.includes(file) || passed.has(file) || there.has(file));
      return wanted.filter((file) => !taken.has(file) && !isSeldom(file));
    };
    const join = (file) => {
      const added = closure(file, there);
      if (weight(added) > small) return false;
      for (const one of added) there.add(one);
      taken.add(file);
      files.push(file);
      return true;
    };
    // Sources that join bring their own imports.
    while (candidates().filter(join).length > 0);
    return { name, files: files.sort(), ...(index === 0 ? {} : { after: all[index - 1][0] }) };
  });
  for (const [name, files] of Object.entries(last)) {
    for (const file of files) taken.add(file);
    groups.push({ name, files: files.toSorted(), after: groups.at(-1)?.name });
  }
  const later = lazy.difference(taken);
  const [first, ...rest] = groups;
  const withFirst = closure(entry, new Set());
  for (const file of first.files) for (const one of closure(file, withFirst)) withFirst.add(one);
  const apart = new Set([...later].flatMap((file) => [...closure(file, withFirst)]));
  const inGroups = new Set(
    rest
      .filter(({ name }) => !Object.hasOwn(last, name))
      .flatMap(({ files }) => files)
      .flatMap((file) => [...closure(file, withFirst)]),
  );
  const shared = [...inGroups.intersection(apart)].filter(
    (file) => file.startsWith('src/') && !taken.has(file) && weight(closure(file, withFirst)) <= tiny,
  );
  return { groups: [{ ...first, shared: shared.sort() }, ...rest], later };
}

/** Returns the size of each source in the bundle, after tree shaking. */
function bytesOf({ outputs }) {
  const bytes = new Map();
  for (const { inputs } of Object.values(outputs)) {
    for (const [file, { bytesInOutput }] of Object.entries(inputs))
      bytes.set(file, (bytes.get(file) ?? 0) + bytesInOutput);
  }
  return bytes;
}
