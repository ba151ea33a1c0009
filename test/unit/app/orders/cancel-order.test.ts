import { describe, expect, it } from 'vitest';
import { cancelOrder, type OrderOutcome } from '../../../../src/app/orders/orders.ts';
import { TradeAgentError } from '../../../../src/errors/errors.ts';
import type { ProposalRequestInput } from '../../../../src/trading/proposal.ts';
import { appWith, entry } from '../accounts/several.ts';

const ID = '00000000-0000-4000-8000-000000000000';

const yes = { status: 'done', key: 'k', approval: null, order: null } satisfies OrderOutcome;
const atOnce = { ...yes, key: null, order: { id: ID } };

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
    return yes;
  };
  return { app: appWith([entry('A1', 'Alpaca', true)], () => gateway as never), ask, asked, done };
}
const refusal = (problem: string) => new TradeAgentError('gateway_refused', 'refused', { details: { problem } });

describe('an order that is cancelled', () => {
  it('is so at once where that takes risk away', async () => {
    const { app, ask, done } = world();
    expect(await cancelOrder(app, ID, ask)).toEqual(atOnce);
    expect(done).toEqual(['cancel', 'order']);
  });

  it('is asked about where it protects a position, and read only after that', async () => {
    const { app, ask, asked, done } = world(refusal('approval_required'));
    expect(await cancelOrder(app, ID, ask)).toEqual({ ...atOnce, key: 'k' });
    expect(done).toEqual(['cancel', 'ask', 'order']);
    expect(asked).toEqual([
      {
        kind: 'cancel',
        cancel: { order_id: ID },
        requested_by: 'order cancel',
        provenance: { fields: { order_id: { source: 'user' } } },
      },
    ]);
  });

  it('is as it was where the question is left to the gateway', async () => {
    const { app, done } = world(refusal('approval_required'));
    const pending = { ...yes, status: 'pending' } as const;
    expect(await cancelOrder(app, ID, async () => pending)).toEqual(pending);
    expect(done).toEqual(['cancel']);
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
