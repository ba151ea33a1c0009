import { describe, expect, it } from 'vitest';
import type { Context } from '../../../../src/cli/context.ts';
import { captureTalk } from '../../../../src/cli/schedule/captured-talk.ts';
import { checkInSchedule } from '../../../../src/cli/schedule/check-in-schedule.ts';
import type { Schedule } from '../../../../src/schedule/schedule.ts';
import { TradeAgentError } from '../../../../src/trading/errors.ts';
import { fakeTerminal } from '../fake-terminal.ts';
import { manualClock } from '../manual-clock.ts';

const schedule = { check: { approval: 'deny' } } as Schedule;

describe('a scheduled check', () => {
  it('that heeds no signal is left behind in time for its end to be recorded', async () => {
    const clock = manualClock();
    const stop = new AbortController();
    const never = () => new Promise<never>(() => undefined);
    const context = {
      ...{ clock, signal: stop.signal, output: {}, limitToReading: () => undefined },
      ...{ profile: never, home: never, requireSession: never },
    } as unknown as Context;
    const running = checkInSchedule(context, schedule);
    const reason = new TradeAgentError('timeout', 'not finished within 10m');
    stop.abort(reason);
    await clock.slept(2500);
    clock.advance(2500);
    expect(await running).toEqual({ exitCode: undefined, error: reason, result: undefined, text: '' });
  });
});

describe('what a run says', () => {
  it('is held back until somebody should hear it, then told in its order, the end of too much left out', () => {
    const terminal = fakeTerminal();
    const talk = captureTalk(terminal.io);
    talk.io.talk('first');
    talk.io.print('a result');
    for (let line = 2; line <= 250; line++) talk.io.talk(`line ${line}`);
    expect(terminal.stderr()).toBe('');
    expect(terminal.stdout()).toBe('a result\n');
    talk.tell();
    const lines = terminal.stderr().trim().split('\n');
    expect(lines.slice(0, 2)).toEqual(['first', 'line 2']);
    expect(lines.slice(-2)).toEqual(['line 200', '… and 50 more lines']);
    talk.tell();
    expect(terminal.stderr().trim().split('\n')).toHaveLength(201);
  });
});
