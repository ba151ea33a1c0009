// Measures the cost of an owner's rules for a decision and for the start of a gateway, with a growing number of rules.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadCedar } from '../../src/gateway/policy/cedar/cedar-engine.ts';
import { evaluatePolicy } from '../../src/gateway/policy/decide.ts';
import { buildRules } from '../../src/gateway/policy/files/rules-source.ts';
import { defaultLimits } from '../../src/gateway/policy/rules.ts';
import { alice, facts } from '../../test/unit/gateway/policy/cedar/decided.ts';
import { ended, fastest, launcher, median } from './processes.mjs';

const RUNS = Number(process.env.BENCH_RUNS ?? 15);
const DECISIONS = 200;
const LIMIT_MS = 60_000;
const COUNTS = [0, 10, 100, 1_000];

const ms = (value) => `${value.toFixed(2)} ms`;

/** Returns typical rules, none of which matches the measured order. */
function ruleText(count) {
  const conditions = [
    (n) => `context.order.symbol == "NO${n}"`,
    (n) => `context.order has notional && context.order.notional.greaterThan(decimal("${n + 2000}.0"))`,
    (n) => `context.new_york.day == "fri" && context.new_york.minute > ${900 + (n % 400)}`,
  ];
  return Array.from({ length: count }, (_, n) => {
    const condition = conditions[n % conditions.length](n);
    return `@id("rule-${n}") forbid (principal, action in Action::"trade", resource) when { ${condition} };\n`;
  }).join('');
}

const texts = (count) =>
  count === 0 ? [] : [{ origin: 'policies', file: 'policies/own.cedar', text: ruleText(count) }];

/** Returns the time in milliseconds of a decision with limits and `count` owner rules, and of loading the rules. */
async function decisions(engine, count) {
  const limits = { ...defaultLimits() };
  const began = performance.now();
  const rules = await buildRules({ limits, texts: texts(count) }, engine);
  const read = performance.now() - began;
  const times = [];
  for (let i = -20; i < DECISIONS; i++) {
    const start = performance.now();
    const { effect } = evaluatePolicy(rules, alice, 'place', facts);
    if (i >= 0) times.push(performance.now() - start);
    if (effect !== 'allow') throw new Error(`it was to be allowed: ${effect}`);
  }
  return { read, times };
}

/** Creates a gateway's folder. Its issuer does not exist, because a gateway does not contact it at start. */
function gatewayFolder(folder, count) {
  const env = { PATH: process.env.PATH, HOME: folder, TRADE_AGENT_HOME: join(folder, `agent-${count}`) };
  const { status, stderr } = spawnSync(process.execPath, [launcher, 'gateway', 'key'], {
    env,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`gateway key: ${stderr}`);
  const home = `${env.TRADE_AGENT_HOME}-gateway`;
  writeFileSync(
    join(home, 'gateway.yaml'),
    JSON.stringify({
      issuer: 'http://127.0.0.1:9',
      resource: 'https://gateway.example',
      environment: 'paper',
      exchange: { client_id: 'gateway-client', audience: 'paper-broker' },
      broker: { trading_url: 'http://127.0.0.1:9', simulated: true },
    }),
  );
  if (count > 0) {
    mkdirSync(join(home, 'policies'), { mode: 0o700 });
    writeFileSync(join(home, 'policies', 'own.cedar'), ruleText(count), { mode: 0o600 });
  }
  return { env, readyFile: join(folder, `ready-${count}.json`) };
}

/** Returns the time in milliseconds until a gateway is ready. */
async function start({ env, readyFile }) {
  rmSync(readyFile, { force: true });
  const began = performance.now();
  const args = [launcher, 'gateway', '--port', '0', '--ready-file', readyFile];
  const child = spawn(process.execPath, args, { env, stdio: 'ignore' });
  while (!existsSync(readyFile)) {
    if (child.exitCode !== null || performance.now() - began > LIMIT_MS) throw new Error('no gateway serves');
    await sleep(1);
  }
  const took = performance.now() - began;
  child.kill('SIGTERM');
  await ended(child);
  return took;
}

export async function benchPolicy() {
  const began = performance.now();
  const engine = await loadCedar();
  const loaded = performance.now() - began;
  console.log(`Rules in Cedar, which took ${ms(loaded)} to load; ${DECISIONS} decisions with limits`);
  console.log('    rules      read and checked      a decision: fastest, median');
  for (const count of COUNTS) {
    const { read, times } = await decisions(engine, count);
    console.log(
      `${String(count).padStart(9)} ${ms(read).padStart(21)} ${ms(fastest(times)).padStart(21)}, ${ms(median(times))}`,
    );
  }
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-bench-'));
  try {
    const gateways = COUNTS.map((count) => ({ count, ...gatewayFolder(folder, count), times: [] }));
    for (let i = -1; i < RUNS; i++) {
      for (const gateway of gateways) {
        const took = await start(gateway);
        if (i >= 0) gateway.times.push(took);
      }
    }
    const [{ times: without }] = gateways;
    console.log(`Until a gateway serves; ${RUNS} interleaved starts: fastest, median; over one without rules`);
    for (const { count, times } of gateways) {
      const over = (fastest(times) / fastest(without)).toFixed(2);
      console.log(
        `${String(count).padStart(9)} rules ${`${fastest(times).toFixed(0)} ms`.padStart(12)}, ${median(times).toFixed(0)} ms   ${over} ×`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
