import { describe, expect, it } from 'vitest';
import type { RunStatus } from '../../../src/agent/events.ts';
import {
  exitCodeForCheck,
  exitCodeForChecks,
  exitCodeForError,
  exitCodeForRun,
  exitCodeForRuns,
  exitCodeMeanings,
  exitCodes,
} from '../../../src/app/exit-codes.ts';
import { allExitCodeText } from '../../../src/cli/options/help.ts';
import { TradeAgentError } from '../../../src/errors/errors.ts';

describe('exit codes', () => {
  it.each([
    [1, ['provider_unreachable', 'something_new', 'constructor', '__proto__']],
    [2, ['usage', 'invalid_order', 'unknown_symbol', 'invalid_config']],
    [4, ['login_required', 'login_expired']],
    [5, ['approval_pending']],
    [6, ['approval_denied']],
    [7, ['approval_expired']],
    [8, ['blocked', 'insufficient_funds', 'price_moved']],
    [9, ['market_closed']],
    [10, ['outcome_unknown']],
    [11, ['credential_store_locked', 'credential_store_unavailable']],
    [12, ['busy']],
    [124, ['timeout']],
    [130, ['interrupted']],
  ])('is %i for the errors %j', (exitCode, codes) => {
    expect(codes.map(exitCodeForError)).toEqual(codes.map(() => exitCode));
  });

  it('is that of a run’s end', () => {
    const ends = ['done', 'pending', 'denied', 'expired', 'blocked', 'unknown', 'failed'] as const;
    expect(ends.map((status) => exitCodeForRun({ status }))).toEqual([0, 5, 6, 7, 8, 10, 1]);
  });

  it('prefers the error of a run, which is the more exact', () => {
    expect(exitCodeForRun({ status: 'blocked', error: { code: 'market_closed' } })).toBe(9);
    expect(exitCodeForRun({ status: 'pending', error: { code: 'timeout' } })).toBe(124);
  });

  it('lets nothing hide that an order’s outcome is unknown', () => {
    expect(exitCodeForRun({ status: 'unknown', error: { code: 'interrupted' } })).toBe(10);
  });

  it('ends with what must be looked after first, of several runs', () => {
    const denied = { status: 'denied' } as const;
    expect(exitCodeForRuns([])).toBe(0);
    expect(exitCodeForRuns([{ status: 'done' }, denied])).toBe(6);
    expect(exitCodeForRuns([denied, { status: 'failed', error: { code: 'busy' } }])).toBe(12);
    expect(exitCodeForRuns([{ status: 'pending' }, { status: 'unknown' }])).toBe(10);
  });

  it('ends a check by what is gravest: an unknown outcome, its own end, its orders, its report, its findings', () => {
    const running = new AbortController().signal;
    const stopped = AbortSignal.abort(new TradeAgentError('timeout', 'did not finish within 10m'));
    const clear = { result: { findings: [] }, runs: [], failure: undefined };
    const found = { ...clear, result: { findings: [{}] } };
    const unwritten = { ...found, failure: { code: 'usage' } };
    const pending = { ...unwritten, runs: [{ status: 'done' }, { status: 'pending' }] as const };
    const unknown = { ...unwritten, runs: [{ status: 'pending' }, { status: 'unknown' }] as const };
    const ends = [clear, found, unwritten, pending, unknown].map((check) => [
      exitCodeForCheck(check, running),
      exitCodeForCheck(check, stopped),
    ]);
    expect(ends).toEqual([
      [0, 124],
      [3, 124],
      [2, 124],
      [5, 124],
      [10, 10],
    ]);
  });

  it('lists every code in the help', () => {
    const help = allExitCodeText();
    for (const [code, meaning] of Object.entries(exitCodeMeanings)) {
      expect(help).toMatch(new RegExp(`^ +${code} +${meaning.replaceAll(/[()]/g, '.')}$`, 'm'));
    }
  });
});

describe('how checks of several accounts end', () => {
  const check = (findings: number, statuses: readonly RunStatus[] = []) => ({
    result: { findings: Array.from({ length: findings }) },
    runs: statuses.map((status) => ({ status, orders: [] })),
    failure: undefined,
  });
  const running = new AbortController().signal;
  it.each<[string, Parameters<typeof exitCodeForChecks>[0]['checks'], object[], number]>([
    ['nothing found', [check(0), check(0)], [], exitCodes.done],
    ['something found in one', [check(0), check(2)], [], exitCodes.found],
    ['an account that could not be looked at', [check(0)], [{}], exitCodes.found],
    ['an order that waits, whatever was found', [check(2), check(0, ['pending'])], [], exitCodes.pending],
    ['an unknown outcome before all', [check(0, ['pending']), check(0, ['unknown'])], [], exitCodes.unknown],
  ])('%s', (_, checks, missing, code) => {
    expect(exitCodeForChecks({ checks, missing }, running)).toBe(code);
  });
});
