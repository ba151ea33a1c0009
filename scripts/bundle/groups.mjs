import { isBuiltin } from 'node:module';

/**
 * Where a run of the planner passes, in this order. Sources that are loaded together begin with these; the rest of each
 * group is found from them. A group is there whenever a later one is loaded, and the first whenever anything else is.
 */
export const steps = {
  // The command line, and what a command needs that asks the gateway or prints a table.
  session: ['src/cli/commands/run/run.ts', 'src/tools/gateway/gateway-client.ts', 'src/cli/text/reports.ts'],
  // The agent and its state: enough to list approvals.
  agent: ['src/app/start-agent.ts'],
  // The graph, and all it stands on.
  run: ['src/agent/run/runner.ts', 'src/store/sqlite/history-saver.ts'],
};

/**
 * What runs agents for others stands on all of the above: as a group after them it has them loaded whole, where it would else
 * share them in a file for each of its own ways to them. Nothing joins it: what it asks for later, others ask for too.
 */
export const beyond = {
  server: [
    'src/app/server/serve-server.ts',
    'src/app/server/serve-worker.ts',
    'src/store/postgres/state/history-saver.ts',
  ],
};

/** What a run is given and seldom asks for: left to the asking, however small. */
const SELDOM = [
  'src/app/alerts.ts',
  'src/app/own-rules.ts',
  'src/app/portfolio/account-history.ts',
  // Of profiles whose agent is at a server.
  'src/app/server/server-profile.ts',
  'src/agent/remote/remote-agent.ts',
  'src/app/schedule/at-server.ts',
  'src/app/mcp/servers.ts',
  'src/auth/session/adopt-refresh-token.ts',
  'src/cli/format/csv.ts',
  'src/cli/format/csv-lists.ts',
  'src/store/sqlite/check-store.ts',
  'src/tools/performance-in.ts',
];

/**
 * What comes with a lazy import and is no larger than this, bytes in the bundle, is loaded together with what asks for
 * it: a file of its own takes longer to find and open than code takes to read that is not run.
 */
const SMALL_BYTES = 80 * 1024;
/** What a later group shares with what stays apart would be a file of its own; up to this it comes with the first group. */
const SHARED_BYTES = 24 * 1024;

/**
 * Which sources are loaded together, by what esbuild found when it bundled the program once without any such wish.
 *
 * A source that others import only when they need it joins the first group in which it is small: in which little comes
 * with it that is not there already. What an entry chooses from (the commands) is left to the choice, and what no run
 * passes stays apart.
 * @param {import('esbuild').Metafile} metafile
 * @param {string} entry the program's
 * @param {Record<string, string[]>} starts by group; see `steps`
 * @param {number} small bytes
 * @param {number} tiny bytes
 * @returns {{groups: {name: string, files: string[], shared?: string[], after?: string}[], later: Set<string>}} the lazily
 *   imported sources of each group, and those in none; `shared` are imported by nobody so, and only to stand there
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
    inputs[file].imports
      .filter((one) => one.kind === kind && Object.hasOwn(inputs, one.path))
      .map(({ path }) => path);
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

  /** All that `file` stands on, itself included, beyond what is `known`. */
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
  /** What has a binary beside the bundle is large whatever its code. */
  const loadsMore = (file) =>
    inputs[file].imports.some(
      ({ path, external, kind }) =>
        external && kind !== 'dynamic-import' && /^[@a-z]/.test(path) && !isBuiltin(path),
    );
  const weight = (files) =>
    [...files].reduce((sum, file) => sum + (loadsMore(file) ? Infinity : (bytes.get(file) ?? 0)), 0);

  const there = closure(entry, new Set());
  const taken = new Set(Object.values(starts).flat());
  const passed = new Set([...taken].flatMap((file) => [...closure(file, new Set())]));
  const groups = Object.entries(starts).map(([name, start], index, all) => {
    const files = [...start];
    for (const file of start.flatMap((one) => [...closure(one, there)])) there.add(file);
    /** Those that a run may come to from what is there, or that another group stands on. */
    const candidates = () => {
      const reached = [...there]
        .filter((file) => file !== entry)
        .flatMap((file) => importsOf(file, 'dynamic-import'));
      const wanted = [...lazy].filter(
        (file) => reached.includes(file) || passed.has(file) || there.has(file),
      );
      return wanted.filter((file) => !taken.has(file) && !SELDOM.includes(file));
    };
    const join = (file) => {
      const added = closure(file, there);
      if (weight(added) > small) return false;
      for (const one of added) there.add(one);
      taken.add(file);
      files.push(file);
      return true;
    };
    // What joins brings imports of its own.
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

/** What each source takes in the bundle, once what nobody uses is left out. */
function bytesOf({ outputs }) {
  const bytes = new Map();
  for (const { inputs } of Object.values(outputs)) {
    for (const [file, { bytesInOutput }] of Object.entries(inputs))
      bytes.set(file, (bytes.get(file) ?? 0) + bytesInOutput);
  }
  return bytes;
}
