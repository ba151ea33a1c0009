import { describe, expect, it } from 'vitest';
import { type ExitCode, exitCodeMeanings } from '../../../../src/app/exit-codes.ts';
import { isRetriedExitCode, runStatusForExitCode } from '../../../../src/app/schedule/run-schedule.ts';

const codes = Object.keys(exitCodeMeanings).map(Number) as ExitCode[];

describe('a schedule’s run', () => {
  it('is recorded by the word of its exit code', () => {
    expect(codes.map((code) => [code, runStatusForExitCode(code)])).toEqual([
      [0, 'clear'],
      [1, 'failed'],
      [2, 'failed'],
      [3, 'found'],
      [4, 'failed'],
      [5, 'pending'],
      [6, 'denied'],
      [7, 'expired'],
      [8, 'blocked'],
      [9, 'market_closed'],
      [10, 'unknown'],
      [11, 'failed'],
      [12, 'busy'],
      [124, 'timed_out'],
      [130, 'interrupted'],
    ]);
  });

  it('is tried again where waiting may help, and nobody has to put anything right first', () => {
    expect(codes.filter(isRetriedExitCode)).toEqual([1, 11, 12, 124, 130]);
  });
});
