import { join } from 'node:path';
import { createAgent } from '../../../src/agent/run/create-agent.ts';
import { buildOrderFromFlags, buildOrderProposal } from '../../../src/app/orders/place-order.ts';
import { getOrCreateDatabaseKey } from '../../../src/secrets/database-key.ts';
import { parseOrderRequest } from '../../../src/tools/place-order.ts';
import type { ProposalRequestInput } from '../../../src/trading/proposal.ts';
import { type ManualClock, manualClock } from '../sandbox/paper-broker-world.ts';
import { startProposalWorld } from './world.ts';

/** A world whose exchange keeps its hours by a clock that starts at this time, and Alice's agent in it. */
export async function openMarketAt(at: number, max_slippage: string) {
  const clock: ManualClock = manualClock(at);
  const world = await startProposalWorld({ marketHours: 'exchange', marketClock: clock });
  const alice = await world.as('alice');
  const agent = await createAgent({
    profile: { ...alice.session.profile, max_slippage },
    session: alice.session,
    stateDb: join(alice.home.data, 'state.db'),
    databaseKey: await getOrCreateDatabaseKey(alice.store),
    env: {},
  });
  const close = async () => {
    await agent.close();
    await world.close();
  };
  return { clock, world, alice, agent, close };
}

/** Orders as a typed command and as a model's call of `place_order` ask for them. */
export const orderWays = (max_slippage: string) => ({
  typed: (...[side, symbol, flags]: Parameters<typeof buildOrderFromFlags>): ProposalRequestInput =>
    buildOrderProposal(buildOrderFromFlags(side, symbol, flags), flags, { environment: 'paper', max_slippage }, {}),
  called: (args: Record<string, unknown>): ProposalRequestInput => ({
    kind: 'order',
    order: { ...parseOrderRequest({ symbol: 'AAPL', ...args }), max_slippage },
    requested_by: 'a test',
  }),
});
