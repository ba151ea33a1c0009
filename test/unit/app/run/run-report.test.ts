import { describe, expect, it } from 'vitest';
import { formatResumeCommand, toRunOutput } from '../../../../src/app/run.ts';
import { doneResult } from '../../cli/sample-events.ts';

describe('the result of a run', () => {
  it('has the documented fields and no others', () => {
    const object = toRunOutput(doneResult);
    expect(Object.keys(object).join(' ')).toBe(
      'thread status text data orders messages approvals connections resume usage',
    );
    expect(Object.keys(object.orders[0] ?? {}).join(' ')).toBe(
      'id client_order_id symbol side qty type status filled_qty filled_avg_price',
    );
    expect(Object.keys(object.approvals[0] ?? {}).join(' ')).toBe(
      'id status code expires_at kind worst_case warnings requested_by client order',
    );
  });

  it('names no command to go on with where the run was refused before it had a thread', () => {
    expect(toRunOutput({ ...doneResult, thread: '' }, ['--profile', 'work']).resume).toBe('');
  });

  it('tells the command that goes on, quoted for the shell and with the profile', () => {
    expect(formatResumeCommand('th_1')).toBe('trade-agent resume th_1');
    expect(formatResumeCommand('th_1', ['--profile', 'work'])).toBe('trade-agent resume th_1 --profile work');
    expect(formatResumeCommand('th_1', ['--server', 'https://agents.example'])).toBe(
      'trade-agent resume th_1 --server https://agents.example',
    );
    expect(formatResumeCommand("a'; rm -rf $HOME")).toBe(`trade-agent resume 'a'\\''; rm -rf $HOME'`);
  });
});
