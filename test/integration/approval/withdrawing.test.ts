import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Person, type ProposalWorld, startProposalWorld } from './world.ts';

const ROUNDS = Number(process.env.WITHDRAWING_ROUNDS ?? 40);

describe('withdrawn at the moment of the tap', () => {
  let world: ProposalWorld;
  let people: readonly Person[];
  beforeAll(async () => {
    world = await startProposalWorld();
    // In turn: the broker takes so many requests a minute of each.
    people = [await world.as('alice'), await world.as('bob')];
  });
  afterAll(() => world.close());

  it(`one side wins, and broker, gateway and phone agree who: ${ROUNDS} rounds`, {
    timeout: 240_000,
  }, async () => {
    const seen = { executed: 0, withdrawn: 0, tapped: 0 };
    for (let round = 1; round <= ROUNDS; round++) {
      const [name, person] = round % 2 === 0 ? (['alice', people[0]] as const) : (['bob', people[1]] as const);
      if (person === undefined) throw new Error('nobody is there');
      const proposal = await person.propose({
        kind: 'order',
        order: { symbol: 'KO', side: 'buy', qty: `1.${String(round).padStart(3, '0')}` },
      });
      const request = (await world.phone.requests(name)).find(({ code }) => code === proposal.code);
      const id = request?.id ?? '';
      // A little later each time: somewhere between the tap and the order the two meet.
      const pause = ((round % 40) - 8) * 4;
      const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
      const [withdrawal, tap] = await Promise.all([
        later(pause).then(() => person.send('DELETE', `/v1/proposals/${proposal.id}`)),
        later(-pause).then(() =>
          world.phone.decide(id, 'approve').then(
            () => true,
            () => false,
          ),
        ),
      ]);
      const isWithdrawn = withdrawal.status === 200;
      const ended = isWithdrawn ? await person.proposal(proposal.id) : await person.until(proposal.id, 'executed');
      const orders = world.sandbox.broker
        .book()
        .filter((order) => order.client_order_id === (proposal.subject as { client_order_id: string }).client_order_id);
      const shown = tap ? await world.phone.request(id, { until: 'outcome', waitSeconds: 10 }) : undefined;
      expect({ round, state: ended.state, orders: orders.length }).toEqual(
        isWithdrawn ? { round, state: 'cancelled', orders: 0 } : { round, state: 'executed', orders: 1 },
      );
      if (shown !== undefined) {
        // Taken back after the tap: the provider notes that at once, and the gateway then says that nothing comes of it.
        const told = isWithdrawn ? ['cancelled', 'blocked'] : ['executing', 'executed'];
        expect(told, `round ${round}`).toContain(shown.outcome?.state);
      }
      seen[isWithdrawn ? (tap ? 'tapped' : 'withdrawn') : 'executed']++;
    }
    process.stderr.write(`withdrawing: ${JSON.stringify(seen)}\n`);
    expect(seen.executed).toBeGreaterThan(0);
    expect(seen.withdrawn + seen.tapped).toBeGreaterThan(0);
  });
});
