import { AIMessage, HumanMessage } from '@langchain/core/messages';
import { describe, expect, it } from 'vitest';
import type { ApprovalStatus } from '../../../../src/agent/events.ts';
import type { CallOutcome } from '../../../../src/agent/graph/agent-state.ts';
import { createRunResult } from '../../../../src/agent/run/run-result.ts';
import type { ErrorCode } from '../../../../src/errors/errors.ts';
import { orderProposal } from '../proposal-fixture.ts';

const outcome = (tool: string, turn: number, code?: ErrorCode): CallOutcome => ({
  prompt: 1,
  tool,
  turn,
  ...(code === undefined ? {} : { error: { code, message: code } }),
});

function resultOf(outcomes: CallOutcome[], statuses: ApprovalStatus[] = [], error?: ErrorCode) {
  const approvals = statuses.map((status, index) => ({
    thread: 't1',
    prompt: 1,
    toolCallId: `tc_${index}`,
    attempt: 1,
    proposal: orderProposal(status, { id: `pr_${index}` }),
  }));
  const { status, error: told } = createRunResult('t1', { prompt: 1, outcomes }, approvals, {
    model: 'm',
    ...(error === undefined ? {} : { error: { code: error, message: error } }),
  });
  return [status, told?.code];
}

describe('a run’s status', () => {
  it.each<[CallOutcome[], ApprovalStatus[], ErrorCode | undefined, string, ErrorCode | undefined]>([
    [[], [], undefined, 'done', undefined],
    [[outcome('get_quote', 1)], [], undefined, 'done', undefined],
    [[outcome('get_quote', 1, 'unknown_symbol')], [], undefined, 'failed', 'unknown_symbol'],
    [[outcome('place_order', 1, 'market_closed')], [], undefined, 'blocked', 'market_closed'],
    [[outcome('place_order', 1, 'approval_denied')], ['denied'], undefined, 'denied', 'approval_denied'],
    [[outcome('place_order', 1, 'approval_expired')], ['expired'], undefined, 'expired', 'approval_expired'],
    // Put right by a later call of the same tool, but not by one in the same turn, nor by another tool.
    [[outcome('get_quote', 1, 'unknown_symbol'), outcome('get_quote', 2)], [], undefined, 'done', undefined],
    [[outcome('get_quote', 1, 'unknown_symbol'), outcome('get_quote', 1)], [], undefined, 'failed', 'unknown_symbol'],
    [[outcome('get_quote', 1, 'unknown_symbol'), outcome('whoami', 2)], [], undefined, 'failed', 'unknown_symbol'],
    // What was asked for earlier in the thread is another run's matter.
    [[{ ...outcome('get_quote', 1, 'unknown_symbol'), prompt: 0 }], [], undefined, 'done', undefined],
    [[], ['requested'], undefined, 'pending', undefined],
    [[], ['approved'], undefined, 'pending', undefined],
    [[outcome('place_order', 1, 'approval_denied')], ['denied', 'requested'], undefined, 'pending', undefined],
    [[], ['requested', 'unknown'], undefined, 'unknown', 'outcome_unknown'],
    [[], ['executing'], undefined, 'unknown', 'outcome_unknown'],
    // What broke off the run is told even when something is pending; an unknown outcome outranks it.
    [[], ['requested'], 'internal', 'failed', 'internal'],
    [[], ['unknown'], 'internal', 'unknown', 'outcome_unknown'],
  ])('%#: %o %o %s is %s', (outcomes, statuses, error, status, code) => {
    expect(resultOf(outcomes, statuses, error)).toEqual([status, code]);
  });

  it('tells only what was said since the person last spoke', () => {
    const messages = [new HumanMessage('a'), new AIMessage('old'), new HumanMessage('b')];
    expect(createRunResult('t1', { prompt: 2, messages }, [], { model: 'm' }).text).toBe('');
  });
});
