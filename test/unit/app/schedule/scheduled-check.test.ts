import { expect, it } from 'vitest';
import type { App } from '../../../../src/app/app.ts';
import { runScheduledCheck } from '../../../../src/app/schedule/run-schedule.ts';
import { TradeAgentError } from '../../../../src/errors/errors.ts';
import type { Schedule } from '../../../../src/schedule/schedule.ts';
import { manualClock } from '../../cli/manual-clock.ts';

const schedule = { check: { approval: 'deny' } } as Schedule;
const silent = { finding: () => undefined, proposing: () => undefined };

it('leaves a check behind that heeds no signal, in time for its end to be recorded', async () => {
  const clock = manualClock();
  const stop = new AbortController();
  const never = () => new Promise<never>(() => undefined);
  const app = {
    ...{ clock, signal: stop.signal, limitToReading: () => undefined },
    ...{ profile: never, home: never, requireSession: never },
  } as unknown as App;
  const running = runScheduledCheck(app, schedule, silent);
  const reason = new TradeAgentError('timeout', 'did not finish within 10m');
  stop.abort(reason);
  await clock.slept(2500);
  clock.advance(2500);
  await expect(running).rejects.toMatchObject({ error: reason, found: [] });
});
