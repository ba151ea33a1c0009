import type { StoredProposal } from '../../src/store/proposal-store.ts';
import type { OrderDraft } from '../../src/trading/order.ts';
import { withLegs } from '../fixtures/booked-legs.ts';
import { Client, identities } from './client.ts';
import { adoptedAt, check } from './oracle.ts';
import { draftsOf } from './placing.ts';
import { Player } from './player.ts';
import { bodies, type History } from './steps.ts';
import { createWorld, SECOND, type SharedKeys, type World } from './world.ts';

/** How the histories went, so that a run that exercises nothing is seen. */
export interface Tally {
  histories: number;
  orders: number;
  underMandate: number;
  withExits: number;
  exited: number;
  coins: number;
  batches: number;
  proposals: number;
  kills: number;
  gatewayKills: number;
  faults: number;
  /** Orders that arrived after their proposal had ended as if there were none, and were adopted. */
  adopted: number;
  /** Mandates that were suspended, by a person or since an adopted order exceeded them. */
  suspended: number;
  /** Requests that were stopped by their dispatch deadline, and such as never got a connection. */
  notDispatched: number;
  notConnected: number;
  questions: number;
  secondPersons: number;
  denials: number;
  /** Withdrawals that took effect, and such as came too late. */
  withdrawals: number;
  lateWithdrawals: number;
  storesAway: number;
  pings: number;
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
    adopted: 0,
    suspended: 0,
    notDispatched: 0,
    notConnected: 0,
    questions: 0,
    secondPersons: 0,
    denials: 0,
    withdrawals: 0,
    lateWithdrawals: 0,
    storesAway: 0,
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
    tallyLate(world, rows, tally);
    tallyPeople(world, tally);
    await look?.(world);
    tally.pings += world.network.sent.filter(({ leg }) => leg === 'provider-gateway').length;
  } finally {
    await world.close();
  }
}

function tallyLate(world: World, rows: readonly StoredProposal[], tally: Tally): void {
  const { network, hindrances } = world;
  const lines = Map.groupBy(world.audit(), ({ proposal }) => proposal);
  tally.adopted += rows.filter(({ id }) => adoptedAt(lines.get(id) ?? []) !== undefined).length;
  tally.suspended += world.kept().mandates.filter(({ state }) => state === 'suspended').length;
  tally.notDispatched += network.held.filter(({ why }) => why === 'stopped').length;
  tally.notConnected += network.held.filter(({ why }) => why === 'given_up').length;
  tally.storesAway += hindrances.filter(({ what }) => what === 'store').length;
}

function tallyPeople({ provider, told }: World, tally: Tally): void {
  const { all } = provider.questions;
  tally.questions += all.length;
  tally.secondPersons += all.filter(({ sub }) => sub === SECOND).length;
  tally.denials += all.filter(({ decision }) => decision === 'deny').length;
  const answers = told.flatMap((one) => (one.what === 'withdrawn' ? [one.status] : []));
  tally.withdrawals += answers.filter((status) => status === 200).length;
  tally.lateWithdrawals += answers.filter((status) => status === 409).length;
}

/** Loads what `import()` brings at first use: that takes real time, which a simulated world can't see. */
export async function warmUp(keys: SharedKeys): Promise<void> {
  const world = await createWorld(keys, { interval: 2, hold: 0, delivery: 'poll', details: 'rar' });
  try {
    const client = new Client(world, identities[0]);
    void client.propose('warm-up', { kind: 'order', order: bodies[0] }, true);
    for (let turn = 0; turn < 60; turn++) {
      await world.advance(500);
      for (const question of world.provider.questions.open()) world.provider.questions.decide(question, 'approve');
      if ((await world.proposals())[0]?.state === 'executed') break;
      // Real time too, for what is loaded only now.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    client.life.dieAfter(0);
    await check(world);
    if (world.broker.book().length !== 1) {
      throw new Error(`a plain order failed: ${JSON.stringify([await world.proposals(), world.told, world.troubles])}`);
    }
  } finally {
    await world.close();
  }
}
