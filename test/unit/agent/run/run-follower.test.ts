import { describe, expect, it } from 'vitest';
import { RunFollower } from '../../../../src/agent/run/run-follower.ts';
import { TradeAgentError } from '../../../../src/errors/errors.ts';
import { approval, doneResult, order } from '../../cli/sample-events.ts';

const timeout = new TradeAgentError('timeout', 'did not finish within 90s');

describe('the result of a run', () => {
  it('is made up from the events where the run was cut off, and says what is pending', () => {
    const follower = new RunFollower();
    follower.follow({ type: 'thread', thread: 'th_1' });
    follower.follow({ type: 'text', delta: 'I propose' });
    follower.follow({ type: 'approval', approval });
    expect(follower.result(timeout)).toMatchObject({
      thread: 'th_1',
      status: 'pending',
      text: 'I propose',
      approvals: [{ id: approval.id }],
      error: { code: 'timeout' },
    });
  });

  it('is unknown where it was cut off while an order was on its way', () => {
    const follower = new RunFollower();
    follower.follow({ type: 'thread', thread: 'th_1' });
    follower.follow({ type: 'approval', approval: { ...approval, status: 'executing' } });
    expect(follower.result(timeout).status).toBe('unknown');
  });

  it('keeps an outcome the run reached in spite of the time limit', () => {
    const follower = new RunFollower();
    follower.follow({ type: 'result', result: doneResult });
    expect(follower.result(timeout)).toEqual(doneResult);
  });

  it('never calls a run done that ended without a result', () => {
    const follower = new RunFollower();
    follower.follow({ type: 'thread', thread: 'th_1' });
    follower.follow({ type: 'order', order, approval: approval.id });
    expect(follower.result(undefined)).toMatchObject({
      status: 'failed',
      orders: [order],
      error: { code: 'internal' },
    });
  });

  it('is the error itself where not even a thread was begun', () => {
    expect(() => new RunFollower().result(timeout)).toThrow(timeout);
  });
});
