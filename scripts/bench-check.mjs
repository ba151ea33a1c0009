// Times the mathematics of `trade-agent check` at 100, 1,000 and 10,000 positions with five years of daily history:
// figures, rules, findings, suggested orders and the HTML report; no network. Called by scripts/bench.mjs, or alone:
//   node scripts/bench-check.mjs
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const RUNS = Number(process.env.BENCH_RUNS ?? 15);
const SIZES = [100, 1000, 10_000];
const DAYS = 1260;
const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-11-24T17:00:00Z');

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Bundled as the program is: the figures would otherwise count the loading of sources. */
async function load() {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-bench-check-'));
  try {
    const names = { check: 'check', rules: 'load-rules', html: 'report/html' };
    await build({
      absWorkingDir: root,
      stdin: {
        contents: Object.values(names)
          .map((file) => `export * from './src/check/${file}.ts';`)
          .join('\n'),
        resolveDir: root,
        loader: 'ts',
      },
      outfile: join(folder, 'check.mjs'),
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node22.13',
      alias: { yaml: join(root, 'node_modules/yaml/browser/index.js') },
      logLevel: 'warning',
    });
    return await import(pathToFileURL(join(folder, 'check.mjs')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A seeded walk, so that every run measures the same. */
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
    // As they come from the cache: packed.
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

/** Milliseconds bare Node takes from start to end. */
function bareNode() {
  const start = performance.now();
  spawnSync(process.execPath, ['-e', '0']);
  return performance.now() - start;
}

/** A line for each size; each run has a bare Node beside it, so that a slow moment of the machine hits both. */
export async function benchCheck() {
  const { check, parseRules, htmlReport } = await load();
  const lines = [];
  for (const size of SIZES) {
    const snapshot = world(size);
    const part = (90 / size).toFixed(6).replace(/0+$/, '');
    const targets = snapshot.positions.map(({ symbol }) => `  ${symbol}: ${part}%`).join('\n');
    const file = await parseRules(
      `targets:\n${targets}\nrules:
  - {name: day, kind: move, by: 5%}
  - {name: year, kind: move, by: 40%, sessions: 250}
  - {name: drift, kind: drift}
  - {name: weight, kind: concentration, above: 5%}
  - {name: fall, kind: drawdown, above: 10%}
  - {name: loss, kind: loss, above: 3%}
  - {name: old, kind: stale, older_than: 15m}\n`,
      'rules.yaml',
    );
    const run = () => {
      const done = check({
        file,
        rulesFile: 'rules.yaml',
        snapshot,
        sectorOf: () => 'Technology',
        memory: { fired: () => [], mark: () => undefined, proposed: () => undefined },
        suggest: { awaited: new Set(), wasAsked: () => false },
      });
      return htmlReport(done.result, done.figures);
    };
    run();
    const times = [];
    const bare = [];
    for (let i = 0; i < (size > 1000 ? Math.min(5, RUNS) : RUNS); i++) {
      const start = performance.now();
      run();
      times.push(performance.now() - start);
      bare.push(bareNode());
    }
    const ms = median(times);
    const ratio = ms / median(bare);
    const name = `${size.toLocaleString('en-US')} positions`.padEnd(18);
    const aim = size === 1000 ? '   aim 3 × with start-up' : '';
    lines.push(`  check, ${name}        ${ms.toFixed(0).padStart(5)} ms, ${ratio.toFixed(2)} ×${aim}`);
  }
  return lines;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log('mathematics of a check with five years of daily closes, over bare Node');
  for (const line of await benchCheck()) console.log(line);
}
