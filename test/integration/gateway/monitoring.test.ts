import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createClientKey } from '../../../src/app/gateway/key-file.ts';
import { type ServedGateway, serveGateway } from '../../../src/app/gateway/serve-gateway.ts';
import { ServerLog } from '../../../src/app/gateway/server-log.ts';
import { withClockComparison } from '../../../src/auth/provider/provider-clock.ts';
import { createTelemetry } from '../../../src/gateway/telemetry/telemetry.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import type { StoredProposal } from '../../../src/store/proposal-store.ts';
import { createAuthReqIdSeal } from '../../../src/store/rows/auth-req-id.ts';
import { createSqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import { aProposalDraft } from '../../fixtures/builders.ts';
import { goBinary } from '../../go-binary.ts';

const root = new URL('../../../', import.meta.url).pathname;
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const prometheus = join(root, 'deploy/prometheus');
const VERSION = 'v0.316.0';
const found =
  spawnSync('promtool', ['--version']).error === undefined
    ? { binary: 'promtool' }
    : await goBinary({
        name: `promtool-${VERSION}`,
        module: `github.com/prometheus/prometheus/cmd/promtool@${VERSION}`,
        file: 'promtool',
        takes: 'seven minutes',
        limitMs: process.env.PROMTOOL === 'build' ? 1_500_000 : undefined,
      });
if ('missing' in found)
  process.stderr.write(`The alert rules are not evaluated: ${found.missing} ("npm run test:alerts" builds it).\n`);
const itEvaluates = it.skipIf('missing' in found);
/** Fails with what it printed. */
function promtool(...args: string[]): void {
  const binary = 'binary' in found ? found.binary : '';
  const { status, stdout, stderr } = spawnSync(binary, args, { cwd: prometheus, encoding: 'utf8', timeout: 60_000 });
  expect(status, `${stdout}\n${stderr}`).toBe(0);
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: unknown;
  readonly targets?: readonly { readonly expr: string; readonly refId: string; readonly datasource: unknown }[];
}
interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}
const rules = (parse(read('deploy/prometheus/alerts.yaml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);
const dashboard = JSON.parse(read('deploy/grafana/trade-agent.json')) as {
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
};

/** The metrics that an expression names: what is left of it without labels, durations, groupings, functions and words. */
function metricsIn(expression: string): string[] {
  const bare = expression
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, ' ')
    .replaceAll(/\b(by|on|without|ignoring)\s*\([^)]*\)/g, ' ')
    .replaceAll(/\boffset\s+\w+/g, ' ')
    .replaceAll(/[a-z_]+\s*\(/g, '(');
  return (bare.match(/[a-z_][\w:]*/gi) ?? []).filter((word) => !['and', 'or', 'unless', 'bool'].includes(word));
}
const used = [
  ...rules.flatMap(({ alert, expr }) => metricsIn(expr).map((metric) => [metric, alert] as const)),
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.flatMap(({ expr }) => metricsIn(expr).map((metric) => [metric, title] as const)),
  ),
];

/** The metrics that the tables of the docs list, also as `name_max`, `…_size`. */
const documented = new Set(
  [...read('docs/operate/OPERATIONS.md').matchAll(/^\| `\w+`.*?\|/gm)].flatMap(([cell]) => {
    const names = [...cell.matchAll(/`([\w…]+)`/g)].map(([, name = '']) => name);
    const stem = names[0]?.replace(/_[a-z]+$/, '') ?? '';
    return names.map((name) => name.replace('…', stem));
  }),
);

let folder: string;
let served: ServedGateway;
let serving: Promise<void>;
const stop = new AbortController();
/** The names of the lines that a gateway's metrics have. */
let scraped: Set<string>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-monitoring-'));
  const config = join(folder, 'gateway.yaml');
  const settings = {
    ...{ issuer: 'https://id.example', resource: 'https://gateway.example', environment: 'paper' },
    ...{ broker: { kind: 'alpaca', credentials: 'key_pair' }, approval: { registration: true } },
    telemetry: { metrics_port: 0 },
  };
  writeFileSync(config, JSON.stringify(settings));
  await createClientKey(folder, 'EC');
  const { promise, resolve, reject } = Promise.withResolvers<ServedGateway>();
  const log = new ServerLog({ process: 'gateway', format: 'json', write: () => {}, clock: systemClock });
  serving = serveGateway(
    { clock: systemClock, signal: stop.signal, log },
    {
      ...{ home: folder, config, env: {}, host: '127.0.0.1', port: 0 },
      ready: async (gateway) => resolve(gateway),
    },
  );
  serving.catch(reject);
  served = await promise;
  await fetch(`${served.url}/readyz`);
  const text = await (await fetch(served.metrics ?? '')).text();
  scraped = new Set(text.match(/^\w+/gm));
});
afterAll(async () => {
  stop.abort();
  await serving?.catch(() => undefined);
  rmSync(folder, { recursive: true });
});

describe('alerts and dashboard', () => {
  it('name metrics that a gateway has, or that the docs list', () => {
    expect(scraped).toContain('http_server_request_duration_bucket');
    expect(documented).toContain('trade_agent_orders_total');
    const unknown = used.filter(([metric]) => {
      const histogram = metric.replace(/_(bucket|count|sum)$/, '');
      return metric !== 'up' && !scraped.has(metric) && !documented.has(metric) && !documented.has(histogram);
    });
    expect(unknown).toEqual([]);
  });

  it('find the names in an expression', () => {
    expect(metricsIn('sum by (a, b) (rate(x_total{c="d"}[5m])) > 1 or y unless on (e) z offset 10m')).toEqual([
      ...['x_total', 'y', 'z'],
    ]);
  });
});

describe('the alerts', () => {
  it('say what happened and what to do', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, labels, annotations } of rules) {
      expect(alert).toMatch(/^TradeAgent[A-Z]\w+$/);
      expect(['critical', 'warning']).toContain(labels.severity);
      expect(annotations.description).toMatch(/\.$/);
      expect(annotations.summary).toMatch(/[^.]$/);
    }
  });

  it('each fire in a test', () => {
    const tests = read('deploy/prometheus/alerts.test.yaml');
    for (const { alert } of rules) expect(tests).toContain(`alertname="${alert}",alertstate="firing",`);
  });

  itEvaluates.each([
    [['check', 'config', 'prometheus.yaml']],
    [['check', 'rules', 'alerts.yaml']],
    [['test', 'rules', 'alerts.test.yaml']],
  ])('pass promtool %j', (args) => promtool(...args));
});

describe('the alerts on what a gateway in trouble serves', () => {
  const troubles = ['AuditLogNotWritten', 'ClockOffset', 'OutcomesUndelivered', 'ProposalsOverdue'];
  let troubled: string;
  let away: string;
  beforeAll(async () => {
    const issuer = 'https://slow-clock.example';
    const late = new Response('', { headers: { date: new Date(Date.now() - 60_000).toUTCString() } });
    await withClockComparison(issuer, systemClock, async () => late)(issuer);
    const measured = () => {
      const telemetry = createTelemetry({ version: '0.0.0', clock: systemClock });
      const database = new Database(':memory:');
      const stores = createSqliteGatewayStores(database, createAuthReqIdSeal('of the gateway'));
      telemetry.database(stores, { issuer, clock: systemClock });
      return { telemetry, database, ...telemetry.stores(stores) };
    };
    const { telemetry, database, proposals, queue } = measured();
    const now = Date.now();
    const note = { event: 'proposed', facts: {} } as const;
    const drafted = async (name: string) => {
      const draft = aProposalDraft(name, { deadline: 90_000 });
      const { sub, client } = draft;
      const standing = await proposals.snapshot({ sub, client, typed: false }, 0);
      const result = await proposals.draft(draft, { sub, client, key: name, request: name }, standing, note, now);
      return (result as { proposal: StoredProposal }).proposal;
    };
    const { id } = await drafted('due');
    await queue.claim(id, false);
    await queue.release(id, -60_000, now);
    const ended = await drafted('ended');
    const change = { ...ended, authReqId: 'auth-1', state: 'expired', token: 'erased' } as const;
    await proposals.change(ended, change, { ...note, event: 'expired' }, { now: now - 400_000 });
    troubled = await telemetry.metrics();
    const cut = measured();
    cut.database.close();
    away = await cut.telemetry.metrics();
    await Promise.all([telemetry.close(), cut.telemetry.close()]);
    database.close();
  });

  it('find the metrics that they name', () => {
    const served = new Set(troubled.match(/^\w+/gm));
    for (const { alert, expr } of rules.filter((rule) => troubles.includes(rule.alert.replace('TradeAgent', ''))))
      for (const metric of metricsIn(expr)) expect(served, alert).toContain(metric);
  });

  itEvaluates('fire', () => {
    expectFiring(troubled, troubles);
    expectFiring(away, ['DatabaseUnreachable']);
  });

  /** Has promtool evaluate the rules after the gateway has served these metrics for a quarter of an hour. */
  function expectFiring(text: string, alerts: readonly string[]): void {
    const samples = [...text.matchAll(/^(trade_agent_\w+)(?:\{(.*)\})? (\S+)$/gm)];
    const input_series = samples.map(([, name, labels, value]) => ({
      series: `${name}{${labels === undefined ? '' : `${labels},`}job="trade-agent-gateway",instance="gw"}`,
      values: `${value}x60`,
    }));
    const exp_samples = alerts.map((alert) => ({ labels: `{alertname="TradeAgent${alert}"}`, value: 1 }));
    const expr = 'group by (alertname) (ALERTS{alertstate="firing"})';
    const test = {
      rule_files: [join(prometheus, 'alerts.yaml')],
      evaluation_interval: '15s',
      tests: [{ interval: '15s', input_series, promql_expr_test: [{ expr, eval_time: '14m', exp_samples }] }],
    };
    const file = join(folder, 'troubled.yaml');
    writeFileSync(file, JSON.stringify(test));
    promtool('test', 'rules', file);
  }
});

describe('the dashboard', () => {
  it('is one that Grafana can import, for any data source', () => {
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(36);
    expect(dashboard.templating.list).toContainEqual(
      expect.objectContaining({ name: 'datasource', type: 'datasource' }),
    );
    const panels = dashboard.panels.filter(({ type }) => type !== 'row');
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    for (const { title, targets = [], datasource } of panels) {
      expect(targets.length, title).toBeGreaterThan(0);
      // Grafana's own placeholder, of the variable.
      for (const target of [{ datasource }, ...targets])
        expect(target.datasource).toEqual({ type: 'prometheus', uid: `\${datasource}` });
    }
  });

  it('has panels side by side, not over each other', () => {
    const boxes = dashboard.panels.map(({ gridPos }) => gridPos);
    for (const [index, one] of boxes.entries()) {
      expect(one.x + one.w).toBeLessThanOrEqual(24);
      for (const other of boxes.slice(index + 1)) {
        const apart =
          one.x + one.w <= other.x ||
          other.x + other.w <= one.x ||
          one.y + one.h <= other.y ||
          other.y + other.h <= one.y;
        expect(apart).toBe(true);
      }
    }
  });
});
