import { describe, expect, it } from 'vitest';
import { cancelOrder } from '../../../../src/app/orders/orders.ts';
import { TradeAgentError } from '../../../../src/trading/errors.ts';
import type { ProposalRequestInput } from '../../../../src/trading/proposal.ts';

const ID = '00000000-0000-4000-8000-000000000000';

/** A gateway that answers a cancellation so; and what its owner was asked. */
function world(refusal?: TradeAgentError) {
  const done: string[] = [];
  const asked: ProposalRequestInput[] = [];
  const gateway = {
    cancelOrder: async () => {
      done.push('cancel');
      if (refusal !== undefined) throw refusal;
    },
    order: async (id: string) => {
      done.push('order');
      return { id };
    },
  };
  const ask = async (request: ProposalRequestInput) => {
    done.push('ask');
    asked.push(request);
  };
  return { app: { gateway: async () => gateway } as never, ask, asked, done };
}
const refusal = (problem: string) =>
  new TradeAgentError('gateway_refused', 'refused', { details: { problem } });

describe('an order that is cancelled', () => {
  it('is so at once where that takes risk away', async () => {
    const { app, ask, done } = world();
    expect(await cancelOrder(app, ID, ask)).toEqual({ id: ID });
    expect(done).toEqual(['cancel', 'order']);
  });

  it('is asked about where it protects a position, and read only after that', async () => {
    const { app, ask, asked, done } = world(refusal('approval_required'));
    expect(await cancelOrder(app, ID, ask)).toEqual({ id: ID });
    expect(done).toEqual(['cancel', 'ask', 'order']);
    expect(asked).toEqual([{ kind: 'cancel', cancel: { order_id: ID }, requested_by: 'orders cancel' }]);
  });

  it('is not asked about for any other refusal', async () => {
    const { app, ask, done } = world(refusal('order_not_open'));
    await expect(cancelOrder(app, ID, ask)).rejects.toMatchObject({ code: 'gateway_refused' });
    expect(done).toEqual(['cancel']);
  });

  it('stays open where the owner says no', async () => {
    const { app, done } = world(refusal('approval_required'));
    const no = async () => {
      throw new TradeAgentError('approval_denied', 'denied');
    };
    await expect(cancelOrder(app, ID, no)).rejects.toMatchObject({ code: 'approval_denied' });
    expect(done).toEqual(['cancel']);
  });
});
