import { afterEach, expect, it } from 'vitest';
import { createTelemetry } from '../../../../src/gateway/telemetry/telemetry.ts';
import { systemClock } from '../../../../src/machine/clock.ts';

const telemetry = createTelemetry({ version: '0', clock: systemClock });
afterEach(() => telemetry.close());

it('a job is counted by its kind and by what came of it, and fails as it did', async () => {
  const work = telemetry.jobs('run', async (ends: boolean) => {
    if (!ends) throw new Error('no database');
  });
  await work(true);
  await expect(work(false)).rejects.toThrow('no database');
  await work(true);
  const told = await telemetry.metrics();
  const count = (outcome: string) =>
    new RegExp(`^trade_agent_job_duration_count\\{[^}]*kind="run",outcome="${outcome}"[^}]*\\} (\\d+)`, 'm').exec(
      told,
    )?.[1];
  expect([count('done'), count('failed')]).toEqual(['2', '1']);
});
