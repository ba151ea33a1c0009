// Measures the replay of a long history into lots and gains: CPU time and memory, each size in a process of its own.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const START = Date.parse('2010-01-04T15:00:00Z');
const HOUR_MS = 3_600_000;

/** Returns fills, with a reinvested dividend and a split now and then, spread over the symbols in turn. */
function makeActivities(count, symbols, hours) {
  const held = new Map();
  return Array.from({ length: count }, (_, index) => {
    const symbol = `S${String.fromCharCode(65 + (index % symbols) / 26, 65 + ((index % symbols) % 26))}`;
    const turn = Math.floor(index / symbols);
    const billionths = held.get(symbol) ?? 0n;
    const at = new Date(START + index * hours * HOUR_MS).toISOString();
    const row = { id: String(index), at, symbol, side: null, qty: null, price: null, amount: null };
    if (turn % 7 === 5) return { ...row, kind: 'dividend', type: 'DIV', amount: '1.23' };
    if (turn % 199 === 198) {
      held.set(symbol, billionths * 2n);
      return { ...row, kind: 'other', type: 'SPLIT', qty: inShares(billionths) };
    }
    const sells = turn % 3 === 2;
    const qty = 1_000_000_000n + BigInt((index * 7919) % 1_000_003) * 1_001n;
    held.set(symbol, sells ? billionths - qty : billionths + qty);
    const price = (50 + ((index * 104_729) % 5_000) / 100).toFixed(2);
    return { ...row, kind: 'fill', type: 'FILL', side: sells ? 'sell' : 'buy', qty: inShares(qty), price };
  });
}

function inShares(billionths) {
  const digits = billionths.toString().padStart(10, '0');
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

async function measure(count, symbols, hours) {
  const { lotHistory } = await import('../../src/trading/portfolio/lot-history-replay.ts');
  const { buildGainsView } = await import('../../src/trading/portfolio/gains-view.ts');
  const stored = JSON.stringify(makeActivities(count, symbols, hours));
  const since = process.cpuUsage();
  const activities = JSON.parse(stored);
  const history = lotHistory(activities, 'fifo');
  const { gains } = buildGainsView(history, activities, { method: 'fifo', year: undefined });
  const { user, system } = process.cpuUsage(since);
  const { maxRSS } = process.resourceUsage();
  return { seconds: (user + system) / 1e6, megabytes: maxRSS / 1024, gains: gains.length };
}

function measureInProcess(count, symbols, hours) {
  const args = ['--no-warnings', fileURLToPath(import.meta.url), count, symbols, hours].map(String);
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${count} activities: ${stderr}`);
  return JSON.parse(stdout);
}

export function benchLedger() {
  const half = measureInProcess(50_000, 50, 1);
  const whole = measureInProcess(100_000, 50, 1);
  console.log(
    `  100,000 activities               ${whole.seconds.toFixed(2)} s of CPU time, ${whole.megabytes.toFixed(0)} MB   aim 5 s, 500 MB`,
  );
  console.log(
    `  against 50,000                   ${(whole.seconds / half.seconds).toFixed(2)} × the time for ${(whole.gains / half.gains).toFixed(2)} × the gains   aim 2 ×`,
  );
  const single = measureInProcess(8_000, 1, 12);
  console.log(
    `  8,000 trades of one symbol       ${single.seconds.toFixed(2)} s of CPU time for ${single.gains} gains   aim 0.3 s`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sizes = process.argv.slice(2).map(Number);
  if (sizes.length === 0) benchLedger();
  else console.log(JSON.stringify(await measure(...sizes)));
}
