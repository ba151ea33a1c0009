import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createClientKey } from '../../../src/app/gateway/key-file.ts';
import { type ServedGateway, serveGateway } from '../../../src/app/gateway/serve-gateway.ts';
import { ServerLog } from '../../../src/app/gateway/server-log.ts';
import { systemClock } from '../../../src/machine/clock.ts';

const root = new URL('../../../', import.meta.url).pathname;
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const prometheus = join(root, 'deploy/prometheus');
const promtool = (...args: string[]) =>
  spawnSync('promtool', args, { cwd: prometheus, encoding: 'utf8', timeout: 60_000 });
const hasPromtool = promtool('--version').error === undefined;

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

  it
    .skipIf(!hasPromtool)
    .each([
      [['check', 'config', 'prometheus.yaml']],
      [['check', 'rules', 'alerts.yaml']],
      [['test', 'rules', 'alerts.test.yaml']],
    ])('pass promtool %j', (args) => {
    const { status, stdout, stderr } = promtool(...args);
    expect(status, `${stdout}\n${stderr}`).toBe(0);
  });
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
