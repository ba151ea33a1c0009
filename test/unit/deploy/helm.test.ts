import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { gatewaySettingsSchema } from '../../../src/gateway/gateway-settings.ts';
import { serverSettingsSchema } from '../../../src/server/settings/server-settings.ts';
import { folderOfTest } from '../../folders.ts';
import { optionsOf } from './typed-command.ts';

const root = new URL('../../../', import.meta.url).pathname;
const folder = join(root, 'deploy/helm');
const chart = join(folder, 'trade-agent');
const read = (...file: string[]) => readFileSync(join(...file), 'utf8');
const has = (command: string, ...args: string[]) => spawnSync(command, args).status === 0;

interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly securityContext: unknown;
  readonly resources: { readonly requests: unknown; readonly limits: unknown };
  readonly readinessProbe?: unknown;
}
interface Manifest {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: {
        readonly securityContext: unknown;
        readonly automountServiceAccountToken: boolean;
        readonly containers: readonly Container[];
        readonly initContainers?: readonly Container[];
        readonly volumes: readonly { readonly name: string }[];
      };
    };
  };
}

/** Renders the chart. The version is given, because a helm that "go install" built knows none. */
function render(...args: string[]): { readonly status: number | null; readonly text: string; readonly error: string } {
  const command = ['template', 'release', chart, '--kube-version', '1.31.0', ...args];
  const { status, stdout, stderr } = spawnSync('helm', command, { encoding: 'utf8', timeout: 30_000 });
  return { status, text: stdout, error: stderr };
}
const example = ['--values', join(folder, 'values.example.yaml')];
const manifests = (text: string) => parseAllDocuments(text).map((document) => document.toJS() as Manifest);

describe('the chart', () => {
  it('has the version of the package', () => {
    const { version } = JSON.parse(read(root, 'package.json')) as { version: string };
    expect(parse(read(chart, 'Chart.yaml'))).toMatchObject({ version, appVersion: version });
  });

  it('has an example with settings that a gateway and a server take', () => {
    const values = parse(read(folder, 'values.example.yaml')) as Record<'gateway' | 'server', { config: unknown }>;
    expect(gatewaySettingsSchema.safeParse(values.gateway.config).error).toBeUndefined();
    expect(serverSettingsSchema.safeParse(values.server.config).error).toBeUndefined();
  });
});

describe.skipIf(!has('helm', 'version'))('the rendered chart', () => {
  it('passes helm lint', () => {
    const { status, stdout } = spawnSync('helm', ['lint', '--strict', chart, ...example], { encoding: 'utf8' });
    expect(status, stdout).toBe(0);
  });

  it.skipIf(!has('python3', '-c', 'import kubernetes_validate'))('has the fields that Kubernetes knows', () => {
    const file = join(folderOfTest(), 'rendered.yaml');
    writeFileSync(file, render(...example).text);
    const command = ['-m', 'kubernetes_validate', '--strict', '-k', '1.31', file];
    const { status, stdout, stderr } = spawnSync('python3', command, { encoding: 'utf8', timeout: 60_000 });
    expect(status, `${stdout}${stderr}`).toBe(0);
  });

  it('runs commands that there are, as a user without rights, with probes and bounds', async () => {
    const workloads = manifests(render(...example).text).filter(({ kind }) => ['Deployment', 'Job'].includes(kind));
    expect(workloads.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort()).toEqual([
      ...['Deployment release-gateway', 'Deployment release-server', 'Deployment release-worker'],
      ...['Job release-gateway-migrate', 'Job release-server-migrate'],
    ]);
    for (const { kind, metadata, spec } of workloads) {
      const pod = spec.template.spec;
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
      expect(pod.automountServiceAccountToken).toBe(false);
      for (const { securityContext, resources } of [...pod.containers, ...(pod.initContainers ?? [])]) {
        expect(securityContext).toEqual({
          ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
          capabilities: { drop: ['ALL'] },
        });
        expect(resources).toMatchObject({ requests: { memory: expect.any(String) }, limits: expect.any(Object) });
      }
      const [{ args, readinessProbe } = { args: [], readinessProbe: undefined }] = pod.containers;
      const flags = args.filter((word) => word.startsWith('--'));
      const options = await optionsOf(args.filter((word) => !word.startsWith('--')).join(' '));
      for (const flag of flags) expect(options, metadata.name).toContain(flag.split('=')[0]);
      if (kind === 'Job') expect(metadata.annotations?.['helm.sh/hook']).toBe('pre-install,pre-upgrade');
      else {
        expect(readinessProbe).toBeDefined();
        expect(spec.template.metadata.labels).toMatchObject(spec.selector?.matchLabels ?? { missing: true });
      }
    }
  });

  it('has no secret, only the names of Secrets', () => {
    const all = manifests(render(...example).text);
    expect(all.filter(({ kind }) => kind === 'Secret')).toEqual([]);
    const containers = all.flatMap(({ spec }) => spec?.template?.spec.containers ?? []);
    const written = containers.flatMap(({ env }) => env.filter(({ value }) => value !== undefined));
    expect(new Set(written.map(({ name }) => name))).toEqual(new Set(['CREDENTIALS_DIRECTORY']));
  });

  it('lets a budget keep a gateway, a server and a worker', () => {
    const all = manifests(render(...example).text);
    const deployments = all.filter(({ kind }) => kind === 'Deployment');
    for (const { metadata, spec } of deployments) {
      const budget = all.find((one) => one.kind === 'PodDisruptionBudget' && one.metadata.name === metadata.name);
      expect(budget?.spec.selector).toEqual(spec.selector);
    }
  });

  it.each([
    ['the address', 'gateway.config.resource=null', /gateway\.config\.resource is missing/],
    ['the database', 'gateway.config.database=null', /has no "database"/],
    ['the files', 'gateway.secretName=', /secretName is missing/],
    ['the owner of the tables', 'gateway.migrateSecretName=', /migrateSecretName is missing/],
    ['TLS or a proxy', 'gateway.tlsSecretName=', /plain HTTP/],
    ['the port of the workers’ probes', 'server.config.telemetry=null', /metrics_port is missing/],
  ])('is refused without %s', (_, setting, why) => {
    const { status, error } = render(...example, '--set', setting);
    expect(status).not.toBe(0);
    expect(error).toMatch(why);
  });
});
