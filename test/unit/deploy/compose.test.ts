import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { optionsOf } from './typed-command.ts';

interface Service {
  readonly image: string;
  readonly build?: { readonly dockerfile: string };
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly ports?: readonly string[];
  readonly privileged?: boolean;
  readonly read_only?: boolean;
  readonly stop_grace_period?: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

const read = (file: string) => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
const compose = parse(read('deploy/compose.yaml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, unknown>>;
};
const services = Object.entries(compose.services);
const ours = services.filter(([, { image }]) => image === 'trade-agent');

/** The Compose Specification's keys of a service that ours use: a misspelled one is none of them. */
const serviceKeys = [
  ...['build', 'cap_drop', 'command', 'depends_on', 'deploy', 'entrypoint', 'env_file', 'environment'],
  ...['healthcheck', 'image', 'ports', 'profiles', 'read_only', 'restart', 'secrets', 'security_opt'],
  ...['stop_grace_period', 'tmpfs', 'volumes'],
];

it('has services with keys of the Compose Specification', () => {
  expect(Object.keys(compose)).toEqual(expect.arrayContaining(['services', 'volumes', 'secrets']));
  for (const [, service] of services) for (const key of Object.keys(service)) expect(serviceKeys).toContain(key);
});

it('needs nothing but the packed package and PostgreSQL', () => {
  for (const [name, { image, build }] of services)
    expect([name, build?.dockerfile ?? image]).toEqual([
      name,
      image === 'trade-agent' ? 'deploy/Dockerfile' : expect.stringMatching(/^postgres:\d+$/),
    ]);
  expect(ours.length).toBeGreaterThanOrEqual(3);
});

it('runs commands that there are, with options that they take', async () => {
  for (const [name, { entrypoint = [], command = [] }] of ours) {
    const [program, ...words] = entrypoint;
    expect(program, name).toBe('trade-agent');
    const options = await optionsOf(words.join(' '));
    expect(options, words.join(' ')).toBeDefined();
    for (const option of command.filter((word) => word.startsWith('--'))) expect(options).toContain(option);
  }
});

it('gives time to end, opens no port of the database, and names what there is', () => {
  for (const [name, service] of services) {
    expect(service.privileged, name).toBeUndefined();
    for (const [other] of Object.entries(service.depends_on ?? {})) expect(compose.services).toHaveProperty(other);
    for (const volume of service.volumes ?? []) {
      const [source = ''] = volume.split(':');
      if (!source.startsWith('.')) expect(compose.volumes).toHaveProperty(source);
    }
    for (const secret of service.secrets ?? []) expect(compose.secrets).toHaveProperty(secret);
    // A password is in a file, never in what "docker inspect" shows.
    for (const [key] of Object.entries(service.environment ?? {})) expect(key).not.toMatch(/PASSWORD$/);
  }
  expect(compose.services.database?.ports).toBeUndefined();
  const gateways = services.filter(([name]) => name.startsWith('gateway-'));
  expect(gateways).toHaveLength(2);
  for (const [, { stop_grace_period, read_only }] of gateways)
    expect({ stop_grace_period, read_only }).toEqual({ stop_grace_period: '30s', read_only: true });
});
