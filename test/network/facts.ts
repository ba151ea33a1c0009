import { join } from 'node:path';
import type { MandateView } from '../../src/trading/mandate/mandate.ts';
import type { Proposal, ProposalState } from '../../src/trading/proposal.ts';
import { linesIn } from '../fixtures/record-lines.ts';
import type { Arrival } from './broker-process.ts';
import { BROKER_TIMEOUT_MS } from './constants.ts';
import type { WireEvent } from './gateway.ts';
import type { Told } from './person.ts';
import type { World } from './world.ts';

/** What a scenario came to: all that its test judges. */
export interface Facts {
  /** What happened, each line with its seconds since the request was written. */
  readonly story: readonly string[];
  readonly orders: readonly OrderFacts[];
  /** Orders in the broker's book. */
  readonly booked: number;
  /** Requests for an order that arrived at the broker more than the gateway's timeout after they were written. */
  readonly late: readonly LateArrival[];
  readonly mandate: Pick<MandateView, 'id' | 'state' | 'used'> | undefined;
  /** Distinct events in the gateways' records. */
  readonly events: readonly string[];
}

export interface OrderFacts {
  readonly proposal: string;
  readonly clientOrderId: string;
  readonly state: ProposalState;
  readonly reason: string | undefined;
  readonly told: Told | undefined;
  readonly underMandate: boolean;
  /** How often the broker's book has it. */
  readonly booked: number;
}

export interface LateArrival extends Arrival {
  readonly afterMs: number;
}

/** Notes what happens. */
export class Story {
  readonly lines: string[] = [];
  #from = Date.now();

  /** Counts from a moment. */
  begin(at: number): void {
    this.#from = at;
  }

  note(what: string): void {
    this.lines.push(`${((Date.now() - this.#from) / 1000).toFixed(1)} s ${what}`);
  }
}

export async function factsOf(
  world: World,
  story: Story,
  proposals: readonly Proposal[],
  mandate: string | undefined,
): Promise<Facts> {
  const { book, arrivals } = await world.broker();
  const wire = world.gateways.flatMap((gateway) => gateway.wire());
  const orders: OrderFacts[] = [];
  for (const { id } of proposals) {
    const now = await world.alice.proposal(id);
    if (now.kind !== 'order') continue;
    const clientOrderId = now.subject.client_order_id;
    orders.push({
      ...{ proposal: id, clientOrderId, state: now.state },
      reason: now.reason?.code,
      told: await world.alice.told(id),
      underMandate: now.subject.mandate !== undefined,
      booked: book.filter(({ client_order_id }) => client_order_id === clientOrderId).length,
    });
  }
  const ours = book.filter(({ client_order_id }) => client_order_id.startsWith('ta-'));
  return {
    story: story.lines,
    orders,
    booked: ours.length,
    late: lateArrivals(arrivals, wire),
    mandate: mandate === undefined ? undefined : await world.alice.mandate(mandate),
    events: eventsOf(world),
  };
}

/** Matches arrivals with writes by the port of the connection. A request that nobody is known to have written counts as on time. */
export function lateArrivals(arrivals: readonly Arrival[], wire: readonly WireEvent[]): LateArrival[] {
  return arrivals.flatMap((arrival) => {
    const written = wire
      .filter(({ event, line, port, at }) => {
        const isWrite = event === 'write' && line === 'POST /v2/orders';
        return isWrite && port === arrival.port && at <= arrival.at + 50;
      })
      .at(-1);
    const afterMs = arrival.at - (written?.at ?? arrival.at);
    return afterMs > BROKER_TIMEOUT_MS ? [{ ...arrival, afterMs }] : [];
  });
}

function eventsOf(world: World): string[] {
  const lines = world.gateways.flatMap(({ folder }) => linesIn(join(folder, 'gateway.db')));
  return [...new Set(lines.map(({ event }) => String(event)))];
}
