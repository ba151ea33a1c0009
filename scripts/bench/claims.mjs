// Measures the policy decision in the transaction that claims an order: without rules, with limits, and under a mandate.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import Database from 'better-sqlite3-multiple-ciphers';
import { alpacaTraits } from '../../src/gateway/broker/alpaca/traits.ts';
import { loadCedar } from '../../src/gateway/policy/cedar/cedar-engine.ts';
import { evaluatePolicy } from '../../src/gateway/policy/decide.ts';
import { buildRules } from '../../src/gateway/policy/files/rules-source.ts';
import { toUncountedFacts } from '../../src/gateway/policy/order-world.ts';
import { findMandateMismatches } from '../../src/gateway/policy/within-mandate.ts';
import { createSqliteGatewayStores } from '../../src/store/sqlite/gateway-stores.ts';
import { mandateDigest } from '../../src/trading/mandate/envelope.ts';
import { mandateTerms } from '../../test/integration/sandbox/proposal-fixture.ts';
import { changed, NOON, subject, world } from '../../test/unit/gateway/policy/sound-order.ts';
import { fastest, median } from './processes.mjs';

const CLAIMS = Number(process.env.BENCH_CLAIMS ?? 200);
const MANDATE = 'M-0000000000';

const ms = (value) => `${value.toFixed(2)} ms`;

/** The counting limits of a new home, set so high that this many orders do not reach them. */
const limits = {
  version: 1,
  accounts: { '*': { max_order_notional: '1000', max_day_notional: '1000000', max_day_orders: 10_000 } },
};

/** A mandate that covers every order here. */
async function granted(stores, policy) {
  const { price: _, max_day_notional: __, ...base } = mandateTerms();
  const day = 86_400_000;
  const at = (time) => new Date(time).toISOString().replace(/\.\d+/, '');
  const terms = {
    ...base,
    ...{ account: 'PA-mandate', policy, mandate_id: MANDATE, cadence: 'on_demand' },
    ...{ max_order_notional: '1000.00', max_total_notional: '900000.00', max_orders: 1000 },
    ...{ not_before: at(NOON - 1000), expires_at: at(NOON + 20 * day) },
  };
  const approval = { issuer: 'https://issuer.example', jti: MANDATE };
  const whole = {
    id: MANDATE,
    sub: 'alice',
    client: 'client',
    terms,
    digest: mandateDigest(terms),
    approval,
  };
  if ((await stores.mandates.grant(whole, NOON)) !== 'granted') throw new Error('no mandate');
}

/** Claims an order. Each claim counts all earlier ones. */
async function claimOne(stores, { rules, account, number, mandate }) {
  const now = NOON + number;
  const named = mandate === undefined ? {} : { mandate };
  const draft = changed({ account, qty: '1', client_order_id: `ta-${account}-${number}-00000000`, ...named });
  const facts = toUncountedFacts({ draft }, world, { traits: alpacaTraits, now });
  const claim = {
    ...{ sub: 'alice', clientOrderId: draft.client_order_id, digest: 'digest', draft, ...named },
    approval: { issuer: 'https://issuer.example', jti: draft.client_order_id },
  };
  const note = (counted) => {
    const decision = evaluatePolicy(rules, subject, 'place', { ...facts, counted });
    const outside =
      counted.mandate == null ? [] : findMandateMismatches(counted.mandate, { draft, slot: draft.slot, rules }, now);
    if (decision.effect !== 'allow' || outside.length > 0)
      throw new Error(`refused: ${[...decision.reasons, ...outside.map(({ reason }) => reason)]}`);
    return {
      ...{ sub: 'alice', client: 'client', account, action: 'place', stage: 'order', effect: 'allow' },
      ...{ subjectId: draft.client_order_id, facts: {}, policy: rules.digest, reasons: [], texts: [] },
    };
  };
  const start = performance.now();
  const outcome = await stores.orders.claim(claim, now, rules === undefined ? undefined : note);
  if (outcome !== 'claimed') throw new Error(outcome);
  return performance.now() - start;
}

export async function benchClaims() {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-bench-'));
  const database = new Database(join(folder, 'gateway.db'));
  try {
    const stores = createSqliteGatewayStores(database);
    const engine = await loadCedar();
    const rules = await buildRules({ limits, texts: [] }, engine);
    await granted(stores, rules.digest);
    const rows = [
      { name: 'nothing decided', account: 'PA-none', times: [] },
      { name: 'limits and Cedar', account: 'PA-limits', rules, times: [] },
      { name: 'under a mandate', account: 'PA-mandate', rules, mandate: MANDATE, times: [] },
    ];
    for (let number = 0; number < CLAIMS; number++)
      for (const row of rows) row.times.push(await claimOne(stores, { ...row, number }));
    console.log(`Claims of an order, on disk; ${CLAIMS} each, in turn: fastest, median; over one without a decision`);
    const [{ times: without }] = rows;
    for (const { name, times } of rows) {
      const over = (median(times) / median(without)).toFixed(2);
      console.log(`${name.padStart(18)} ${ms(fastest(times)).padStart(10)}, ${ms(median(times))}   ${over} ×`);
    }
  } finally {
    database.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
