import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BatchResult, BatchSubject } from '../../../src/trading/kinds/batch.ts';
import type { ProposalRequestInput } from '../../../src/trading/proposal.ts';
import { type Person, type ProposalWorld, startProposalWorld } from './world.ts';

const order = (side: 'buy' | 'sell', symbol: string, qty = '1') => ({ side, symbol, qty });
const batch = (orders: object[], on_failure: 'stop' | 'continue' = 'stop') =>
  ({ kind: 'batch', batch: { orders, on_failure } }) as ProposalRequestInput;

describe('orders that belong together, at a gateway', () => {
  let world: ProposalWorld;
  let alice: Person;
  beforeAll(async () => {
    world = await startProposalWorld();
    alice = await world.as('alice');
  });
  afterAll(() => world.close());

  const inBook = () => world.sandbox.broker.book().length;

  it('are one question, and by one tap each is placed once', async () => {
    const before = inBook();
    const asked = await alice.propose(batch([order('buy', 'KO', '2'), order('sell', 'AAPL'), order('buy', 'MSFT')]));
    const subject = asked.subject as BatchSubject;
    expect(subject.orders.map(({ side, symbol }) => `${side} ${symbol}`)).toEqual(['sell AAPL', 'buy KO', 'buy MSFT']);
    await alice.tap(asked.code, 'approve');
    const { result } = await alice.until(asked.id, 'executed');
    const { lines } = result as BatchResult;
    expect(lines.map(({ outcome, order: placed }) => [outcome, placed?.symbol])).toEqual([
      ['placed', 'AAPL'],
      ['placed', 'KO'],
      ['placed', 'MSFT'],
    ]);
    expect(inBook()).toBe(before + 3);
  });

  it('are refused before the phone rings where one of them breaks a rule', async () => {
    const refused = await alice.ask(batch([order('buy', 'KO'), order('sell', 'AAPL', '900000')]), 'batch-too-much');
    expect(refused).toMatchObject({ status: 422, body: { code: 'insufficient_funds' } });
    const tooFew = await alice.ask(batch([order('buy', 'KO')]), 'batch-of-one');
    expect(tooFew).toMatchObject({ status: 400, body: { code: 'invalid_proposal' } });
  });
});
