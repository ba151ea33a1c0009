import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../../src/app/app.ts';
import { type CheckListener, runCheck } from '../../../src/app/check/run-check.ts';
import { createApp } from '../../../src/app/create-app.ts';
import { runScheduledCheck } from '../../../src/app/schedule/run-schedule.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import type { Schedule } from '../../../src/schedule/schedule.ts';
import { withCli, world } from './check-world.ts';

let app: App;
let stop: AbortController;
let rules: string;
let told: string[];
let rule = 0;

withCli();
beforeEach(() => {
  rules = join(world.folder, `rules-${++rule}.yaml`);
  writeFileSync(rules, `rules:\n  - {name: r${rule}, kind: price, symbol: AAPL, above: 1}\n`);
  told = [];
  stop = new AbortController();
  app = createApp({
    env: world.env,
    clock: systemClock,
    fetch: globalThis.fetch,
    signal: stop.signal,
    tell: (line) => told.push(line),
  });
});

const silent: CheckListener = {
  finding: () => undefined,
  proposing: () => undefined,
  found: () => undefined,
  reported: () => undefined,
};

describe('a check without a terminal', () => {
  it('tells what is new, then the result before notices and after them, and gives it back', async () => {
    const { result, runs, failure } = await runCheck(
      app,
      { rules, approval: 'deny' },
      {
        ...silent,
        finding: ({ rule: name }) => told.push(`finding ${name}`),
        found: ({ status }) => void told.push(`found: ${status}`),
        reported: ({ status }) => void told.push(`told: ${status}`),
      },
    );
    expect(told).toEqual([`finding r${rule}`, 'found: found', 'told: found']);
    expect(result.findings).toMatchObject([{ rule: `r${rule}`, severity: 'warning' }]);
    expect({ runs, failure }).toEqual({ runs: [], failure: undefined });
  });

  it('remembers nothing that could not be told: the next one tells it again', async () => {
    const deaf = { ...silent, reported: () => Promise.reject(new Error('nobody heard it')) };
    await expect(runCheck(app, { rules, approval: 'deny' }, deaf)).rejects.toThrow('nobody heard it');
    const again = await runCheck(app, { rules, approval: 'deny' }, silent);
    expect(again.result.findings).toHaveLength(1);
    const after = await runCheck(app, { rules, approval: 'deny' }, silent);
    expect(after.result.findings).toEqual([]);
  });

  it('gives its result also where the report could not be written, and why', async () => {
    const report = join(world.folder, 'no', 'such', 'folder.html');
    const { result, failure } = await runCheck(app, { rules, report, approval: 'deny' }, silent);
    expect(failure).toMatchObject({ code: 'usage' });
    expect(result.notes).toContain(failure?.message);
    expect(result.findings).toHaveLength(1);
  });
});

describe('a schedule’s check', () => {
  const schedule = () => ({ id: 's1', name: null, check: { rules, approval: 'deny' } }) as Schedule;

  it('comes to the same typed result', async () => {
    const { checks } = await runScheduledCheck(app, schedule(), silent);
    expect(checks[0]?.result).toMatchObject({ status: 'found', findings: [{ rule: `r${rule}` }] });
    expect(checks[0]?.failure).toBe(undefined);
    expect(told).toEqual([]);
  });

  it('that throws says why, without a result where it had none', async () => {
    writeFileSync(rules, 'rules:\n  - {name: a, kind: price, symbl: AAPL, above: 5}\n');
    await expect(runScheduledCheck(app, schedule(), silent)).rejects.toMatchObject({
      ...{ error: { code: 'invalid_config' }, found: [] },
    });
  });
});
