import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type CheckResult, checkResultSchema } from '../../../src/check/result-schema.ts';
import { type CliWorld, openCliWorld } from '../cli/cli-world.ts';

export let world: CliWorld;

export function withCli(options: Parameters<typeof openCliWorld>[0] = {}): void {
  beforeAll(async () => {
    world = await openCliWorld(options);
    await world.login();
  });
  afterAll(() => world.close());
}

let files = 0;
export function rulesFile(text: string): string {
  const file = join(world.folder, `rules-${++files}.yaml`);
  writeFileSync(file, text);
  return file;
}
/** @param more lines between the targets and the rules */
export const driftRules = (targets: string, more = '') =>
  rulesFile(`targets: {${targets}}\n${more}rules:\n  - {name: drift, kind: drift, band: 5%}\n`);

export function startCheck(...args: string[]) {
  const { done } = world.start(['check', ...args, '--output', 'json']);
  return async () => {
    const { exitCode, stdout, stderr } = await done;
    const parsed = checkResultSchema.safeParse(JSON.parse(stdout));
    if (!parsed.success) throw new Error(`ended with ${exitCode}: ${stdout} ${stderr}`);
    return { exitCode, stderr, result: parsed.data };
  };
}
export const checkJson = (...args: string[]) => startCheck(...args)();

export const onPhone = (decision: 'approve' | 'deny', timeout = '30s') =>
  world.run(['phone', '--user', 'alice', '--decide', decision, '--once', '--timeout', timeout]);

/** What Alice holds most and least of, each with targets that are some points away from what there is. */
export function extremes({ figures }: CheckResult) {
  const [most] = figures.by_symbol;
  const least = figures.by_symbol.at(-1);
  if (most === undefined || least === undefined) throw new Error('alice holds nothing');
  const percent = ({ name, weight }: typeof most, more: number) =>
    `${name}: ${(Number(weight) * 100 + more).toFixed(2)}%`;
  return { most, least, percent };
}
