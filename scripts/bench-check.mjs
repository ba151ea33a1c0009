// Times a check at 100, 1,000 and 10,000 positions with five years of daily values, in two ways:
// - warm: only the computation of figures, rules, findings, suggested orders and the HTML report
// - cold: a separate process that reads the rules file, the snapshot and its memory (fired rules, high-water mark, stored
//   prices) from the encrypted store, checks, saves its memory, and prints the result
// Uses no network and no command line. Run by scripts/bench.mjs, or directly:
//   node scripts/bench-check.mjs
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { leanDependencies } from './bundle/lean-dependencies.mjs';
import { withoutBuiltinImports } from './bundle/node-builtins.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const RUNS = Number(process.env.BENCH_RUNS ?? 15);
const SIZES = (process.env.BENCH_POSITIONS ?? '100,1000,10000').split(',').map(Number);
const DAYS = 1260;
const DAY_MS = 86_400_000;
const KEY = '0123456789abcdef'.repeat(4);
const NOW = Date.parse('2026-11-24T17:00:00Z');

/**
 * Bundles and loads the code like the shipped program: lean dependencies, CommonJS, and V8's compiled code with the
 * functions that ran. Otherwise the figures would include work that the shipped program does not do.
 */
async function bundle(folder) {
  const lean = leanDependencies();
  const options = {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node22.14',
    minifySyntax: true,
    minifyWhitespace: true,
    external: ['better-sqlite3-multiple-ciphers'],
    alias: { yaml: join(root, 'node_modules/yaml/browser/index.js') },
    logLevel: 'warning',
  };
  const file = join(folder, 'check.cjs');
  const names = ['check/check', 'store/sqlite/check-store', 'check/load-rules', 'check/report/html'];
  await build({
    ...options,
    format: 'cjs',
    // The plugin expects the whole program, and most of what it changes is not in this bundle.
    plugins: [{ ...lean, setup: (its) => lean.setup({ ...its, onEnd: () => undefined }) }],
    stdin: {
      contents: names.map((name) => `export * from './src/${name}.ts';`).join('\n'),
      resolveDir: root,
      loader: 'ts',
    },
    banner: { js: '(function(exports,require,module){' },
    footer: { js: '})' },
    outfile: file,
  });
  await build({
    ...options,
    format: 'esm',
    entryPoints: ['src/cli/start/bundle-loader.ts'],
    outfile: join(folder, 'loader.mjs'),
  });
  const loader = readFileSync(join(folder, 'loader.mjs'), 'utf8');
  writeFileSync(join(folder, 'loader.mjs'), withoutBuiltinImports(loader));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'one-check.mjs'), ONE_CHECK);
  const { openBundle } = await import(pathToFileURL(join(folder, 'loader.mjs')));
  return openBundle(pathToFileURL(`${folder}/`), undefined, '').load('./check.cjs');
}

/**
 * Code that prints the processor time of a process to stderr: of all threads, and of the main thread. The other threads are
 * V8's compiler and garbage collector, which use idle cores.
 */
const TELL = `
const inMs = ({ user, system }) => (user + system) / 1000;
const took = { all: inMs(process.cpuUsage()), main: inMs(process.threadCpuUsage()) };
process.stderr.write(JSON.stringify(took));`;

/** The code of the timed process. */
const ONE_CHECK = `
const { readFileSync } = process.getBuiltinModule('node:fs');
import { openBundle } from './loader.mjs';
const [folder, key] = process.argv.slice(2);
const bundle = openBundle(new URL('./', import.meta.url), new URL('./compiled.bin', import.meta.url).pathname, 'bench');
const { checkPortfolio, openCheckStore, parseRules } = bundle.load('./check.cjs');
const snapshot = JSON.parse(readFileSync(folder + '/snapshot.json', 'utf8'));
snapshot.quotes = new Map(snapshot.quotes);
const file = await parseRules(readFileSync(folder + '/rules.yaml', 'utf8'), 'rules.yaml');
const store = openCheckStore(folder + '/checks.db', key);
snapshot.closes = await store.closes.getAll(snapshot.positions.map(({ symbol }) => symbol));
const memory = store.account({ profile: 'bench', account: 'PA1' });
const done = checkPortfolio({
  file, snapshot, memory: await memory.remembered(), rulesFile: 'rules.yaml', sectorOf: () => 'Technology',
  suggest: { awaited: new Set(), wasAsked: () => false },
});
await memory.remember(done.firing.states, done.figures.drawdowns.mark);
store.close();
process.stdout.write(JSON.stringify(done.result));
${TELL}
bundle.storeCompiledCode();
`;

/** Returns a seeded random number generator, so that every run measures the same. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function world(size) {
  const random = generator(size);
  const today = Math.floor(NOW / DAY_MS);
  const positions = [];
  const quotes = new Map();
  const closes = new Map();
  let held = 0;
  for (let i = 0; i < size; i++) {
    const symbol = `S${i}`;
    let cents = 1000 + Math.floor(random() * 40_000);
    // Packed, as in the cache.
    const history = { days: new Int32Array(DAYS), closes: new Float64Array(DAYS) };
    for (let at = 0; at < DAYS; at++) {
      cents = Math.max(100, Math.round(cents * (1 + (random() - 0.5) * 0.03)));
      history.days[at] = today - DAYS + at;
      history.closes[at] = cents * 100;
    }
    closes.set(symbol, history);
    const last = (cents / 100).toFixed(2);
    const qty = String(1 + Math.floor(random() * 100));
    const value = ((cents * Number(qty)) / 100).toFixed(2);
    held += cents * Number(qty);
    positions.push({
      symbol,
      side: 'long',
      qty,
      qty_available: qty,
      avg_entry_price: last,
      current_price: last,
      lastday_price: last,
      market_value: value,
      cost_basis: value,
      unrealized_pl: '0.00',
      unrealized_plpc: '0',
      change_today: '0',
    });
    quotes.set(symbol, {
      symbol,
      name: null,
      bid: last,
      ask: last,
      last,
      previous_close: last,
      at: new Date(NOW).toISOString(),
      simulated: true,
    });
  }
  const cash = Math.round(held / 10);
  const equity = ((held + cash) / 100).toFixed(2);
  let worth = held + cash;
  const history = [];
  for (let day = 1; day <= DAYS; day++) {
    worth = Math.round(worth * (1 + (random() - 0.5) * 0.01));
    history.unshift({ at: NOW - day * DAY_MS, equity: (worth / 100).toFixed(2) });
  }
  const activities = Array.from({ length: 1000 }, (_, i) => ({
    id: String(i),
    kind: i % 20 === 0 ? 'deposit' : 'fill',
    type: i % 20 === 0 ? 'CSD' : 'FILL',
    at: new Date(NOW - (1200 - i) * DAY_MS).toISOString(),
    symbol: `S${i % Math.min(size, 50)}`,
    side: i % 3 === 0 ? 'sell' : 'buy',
    qty: '2',
    price: '100.25',
    amount: i % 20 === 0 ? '100' : null,
  }));
  const next = new Date(NOW + 4 * 3_600_000).toISOString();
  return {
    now: NOW,
    positions,
    quotes,
    closes,
    history,
    activities,
    openOrders: [],
    calendar: [],
    noPrice: [],
    notes: [],
    clock: { timestamp: new Date(NOW).toISOString(), is_open: true, next_open: next, next_close: next },
    account: {
      account: 'PA1',
      environment: 'paper',
      status: 'ACTIVE',
      currency: 'USD',
      cash: (cash / 100).toFixed(2),
      equity,
      last_equity: equity,
      buying_power: (cash / 100).toFixed(2),
      long_market_value: (held / 100).toFixed(2),
      trading_blocked: false,
      simulated: true,
    },
  };
}

/** Runs a process and returns its processor time as it reports it ({@link TELL}) and its elapsed time, in milliseconds. */
function timed(args) {
  const from = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, {
    env: { PATH: process.env.PATH },
    encoding: 'utf8',
    maxBuffer: 1e9,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new Error(stderr);
  return { ...JSON.parse(stderr.trim().split('\n').at(-1)), elapsed: performance.now() - from };
}

const bareNode = () => timed(['-e', TELL]);

const least = (times, thread) => Math.min(...times.map((time) => time[thread]));

/**
 * Returns the ratio of elapsed time to bare Node, which runs right after it so that other load affects both: the median
 * with the lower and upper quartile.
 */
function elapsedOver(times, bare) {
  const ratios = times.map(({ elapsed }, turn) => elapsed / bare[turn].elapsed).sort((a, b) => a - b);
  const [low, median, high] = [0.25, 0.5, 0.75].map((part) => {
    const at = part * (ratios.length - 1);
    const below = ratios[Math.floor(at)];
    return (below + (ratios[Math.ceil(at)] - below) * (at % 1)).toFixed(1);
  });
  return `${median.padStart(6)} × (${low} to ${high})`;
}

async function prepare({ openCheckStore }, folder, size) {
  const { closes, quotes, ...snapshot } = world(size);
  writeFileSync(join(folder, 'snapshot.json'), JSON.stringify({ ...snapshot, quotes: [...quotes] }));
  const part = (90 / size).toFixed(6).replace(/0+$/, '');
  const targets = snapshot.positions.map(({ symbol }) => `  ${symbol}: ${part}%`).join('\n');
  writeFileSync(
    join(folder, 'rules.yaml'),
    `targets:\n${targets}\nrules:
  - {name: day, kind: move, by: 5%}
  - {name: year, kind: move, by: 40%, sessions: 250}
  - {name: drift, kind: drift}
  - {name: weight, kind: concentration, above: 5%}
  - {name: fall, kind: drawdown, above: 10%}
  - {name: loss, kind: loss, above: 3%}
  - {name: old, kind: stale, older_than: 15m}\n`,
  );
  const store = openCheckStore(join(folder, 'checks.db'), KEY);
  // The same number of sessions as gather.ts stores: as far as a rule may look back.
  for (const [symbol, { days, closes: prices }] of closes)
    await store.closes.put(symbol, { days: days.slice(-260), closes: prices.slice(-260) });
  store.close();
}

/** Repeats the computation in this process and returns the lowest processor time. */
function warm({ checkPortfolio, renderHtmlReport }, file, snapshot, runs) {
  const times = [];
  for (let i = 0; i < runs; i++) {
    const from = process.cpuUsage();
    const { result, figures } = checkPortfolio({
      file,
      rulesFile: 'rules.yaml',
      snapshot,
      sectorOf: () => 'Technology',
      memory: { fired: () => [], mark: () => undefined, proposed: () => undefined },
      suggest: { awaited: new Set(), wasAsked: () => false },
    });
    renderHtmlReport(result, figures);
    const { user, system } = process.cpuUsage(from);
    times.push((user + system) / 1000);
  }
  return Math.min(...times);
}

/** Returns a line per size with the lowest processor time of several runs, which other load affects the least. */
export async function benchCheck() {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-bench-check-'));
  try {
    const program = await bundle(folder);
    const lines = [];
    for (const size of SIZES) {
      const runs = size > 1000 ? Math.min(5, RUNS) : RUNS;
      const place = mkdtempSync(join(folder, 'size-'));
      await prepare(program, place, size);
      const run = () => timed([join(folder, 'one-check.mjs'), place, KEY]);
      run();
      const times = [];
      const bare = [];
      for (let i = 0; i < runs; i++) {
        times.push(run());
        bare.push(bareNode());
      }
      const file = await program.parseRules(readFileSync(join(place, 'rules.yaml'), 'utf8'), 'rules.yaml');
      const maths = warm(program, file, world(size), 3 * runs);
      const shown = (ms, thread) =>
        `${ms.toFixed(0).padStart(5)} ms ${(ms / least(bare, thread)).toFixed(1).padStart(6)} ×`;
      const whole = (thread) => shown(least(times, thread), thread);
      const name = `${size.toLocaleString('en-US')} positions`.padEnd(18);
      const aim = size === 1000 ? '   aims 3 ×, 10 ×' : '';
      lines.push(
        `  check, ${name} mathematics ${shown(maths, 'all')}   whole process ${whole('all')}, its main thread ${whole('main')}, elapsed ${elapsedOver(times, bare)}${aim}`,
      );
    }
    return lines;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log('a check with five years of daily values, processor time over that of bare Node');
  for (const line of await benchCheck()) console.log(line);
}
