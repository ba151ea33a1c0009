import type { OrderDraft } from '../../src/trading/order.ts';
import { withLegs } from '../fixtures/booked-legs.ts';
import { Client, identities } from './client.ts';
import { check } from './oracle.ts';
import { draftsOf } from './placing.ts';
import { Player } from './player.ts';
import { bodies, type History } from './steps.ts';
import { createWorld, type SharedKeys, type World } from './world.ts';

/** How the histories went, so that a run that exercises nothing is seen. */
export interface Tally {
  histories: number;
  orders: number;
  /** Of these, what nobody was asked about. */
  underMandate: number;
  /** Of these, what came with exits, and whose exits traded. */
  withExits: number;
  exited: number;
  /** Of these, in coins. */
  coins: number;
  /** Batches of which every line is in the book. */
  batches: number;
  proposals: number;
  kills: number;
  gatewayKills: number;
  faults: number;
  pings: number;
  /** Lines of the record, by event. */
  readonly events: Record<string, number>;
  /** Proposals that had to be carried out at once, since nothing stood in the way. */
  unhindered: number;
}

export function noTally(): Tally {
  return {
    histories: 0,
    orders: 0,
    underMandate: 0,
    withExits: 0,
    exited: 0,
    coins: 0,
    batches: 0,
    proposals: 0,
    kills: 0,
    gatewayKills: 0,
    faults: 0,
    pings: 0,
    events: {},
    unhindered: 0,
  };
}

/**
 * Plays one history to its end and lets everything settle.
 * @param look at the world in the end, once the checker has found nothing
 * @throws what the checker finds
 */
export async function play(
  keys: SharedKeys,
  history: History,
  tally: Tally,
  look?: (world: World) => Promise<void>,
): Promise<void> {
  const world = await createWorld(keys, history.world);
  try {
    await new Player(world, history, tally).play();
    tally.unhindered += await check(world);
    tally.histories += 1;
    const book = withLegs(world.broker.book());
    tally.orders += book.length;
    tally.withExits += book.filter(({ legs }) => legs.length > 0).length;
    tally.coins += book.filter(({ symbol }) => symbol.includes('/')).length;
    tally.exited += book.filter(({ order_class, filled_qty, legs }) =>
      [...legs, ...(order_class === 'oco' ? [{ filled_qty }] : [])].some((exit) => exit.filled_qty !== '0'),
    ).length;
    const rows = await world.proposals();
    tally.proposals += rows.length;
    const booked = new Set(book.map(({ client_order_id }) => client_order_id));
    const isBooked = ({ client_order_id }: OrderDraft) => booked.has(client_order_id);
    for (const row of rows) {
      const drafts = draftsOf(row);
      if (drafts.length > 1 && drafts.every(isBooked)) tally.batches += 1;
      tally.underMandate += drafts.filter((draft) => draft.mandate !== undefined && isBooked(draft)).length;
    }
    for (const { event } of world.audit()) tally.events[event] = (tally.events[event] ?? 0) + 1;
    tally.faults += world.network.disturbances.length;
    await look?.(world);
    tally.pings += world.network.sent.filter(({ leg }) => leg === 'provider-gateway').length;
  } finally {
    await world.close();
  }
}

/**
 * Loads everything an order needs: modules that come by `import()` at first use take real time, which a world can't see.
 */
export async function warmUp(keys: SharedKeys): Promise<void> {
  const world = await createWorld(keys, { interval: 2, hold: 0, delivery: 'poll', details: 'rar' });
  try {
    const client = new Client(world, identities[0]);
    void client.propose('warm-up', { kind: 'order', order: bodies[0] }, true);
    for (let turn = 0; turn < 60; turn++) {
      await world.advance(500);
      for (const question of world.provider.questions.open())
        world.provider.questions.decide(question, 'approve');
      if ((await world.proposals())[0]?.state === 'executed') break;
      // Real time too, for what is loaded only now.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    client.life.dieAfter(0);
    await check(world);
    if (world.broker.book().length !== 1) {
      throw new Error(
        `a plain order failed: ${JSON.stringify([await world.proposals(), world.told, world.troubles])}`,
      );
    }
  } finally {
    await world.close();
  }
}
