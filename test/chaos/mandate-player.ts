import { formatUtcSeconds } from '../../src/machine/clock.ts';
import { currentSlot } from '../../src/trading/mandate/cadence.ts';
import { addDays, newYorkDate, newYorkInstant } from '../../src/trading/new-york-time.ts';
import type { ProposalRequestInput } from '../../src/trading/proposal.ts';
import { Client, identities } from './client.ts';
import { batches, mandateBodies, mandateTerms } from './mandate-steps.ts';
import { bodies, type MandateStep } from './steps.ts';
import type { World } from './world.ts';

export interface MandateHands {
  readonly world: World;
  client(number: number): Client;
  ask(client: number, request: ProposalRequestInput, how: { readonly watch: boolean; readonly gateway?: number }): void;
}

const OTHER_SLOT = '2035-06-01';

/** Longer than anything that may still be on its way is waited for, from when a proposal's time is over. */
const SWEPT_AFTER_MS = 20 * 60_000;

export async function takeMandateStep(hands: MandateHands, step: MandateStep): Promise<void> {
  const { world } = hands;
  switch (step.do) {
    case 'mandate':
      return askForMandate(hands, step);
    case 'under':
      return askUnder(hands, step);
    case 'takeBack': {
      const client = hands.client(step.client);
      const id = nth(mandatesOf(world, client.who.sub), step.mandate)?.id;
      if (id !== undefined) void client.endMandate(id, step.to, step.gateway);
      return;
    }
    case 'overtaken':
      return overtake(hands, step);
    case 'batch': {
      const orders = [...(nth(batches, step.batch) ?? batches[0])];
      const on_failure = step.stop ? 'stop' : 'continue';
      return hands.ask(step.client, { kind: 'batch', batch: { orders, on_failure }, ttl: step.ttl }, { watch: true });
    }
    case 'midnight': {
      const now = world.clock.now();
      const at = newYorkInstant(addDays(newYorkDate(now), 1), '00:00') + step.seconds * 1000;
      return at > now ? world.suspend(at - now) : undefined;
    }
  }
}

function askForMandate(hands: MandateHands, { client, terms, replaces }: MandateStep & { do: 'mandate' }): void {
  const { world } = hands;
  const { lasts, ...asked } = nth(mandateTerms, terms) ?? mandateTerms[0] ?? { lasts: 0 };
  const other = replaces === undefined ? undefined : nth(mandatesOf(world, subOf(client)), replaces)?.id;
  const mandate = {
    ...asked,
    expires_at: formatUtcSeconds(world.clock.now() + lasts * 1000),
    ...(other === undefined ? {} : { replaces: other }),
  } as Extract<ProposalRequestInput, { kind: 'mandate' }>['mandate'];
  hands.ask(client, { kind: 'mandate', mandate }, { watch: false });
}

function askUnder(hands: MandateHands, step: MandateStep & { do: 'under' }): void {
  const { world } = hands;
  const order = nth(mandateBodies, step.body) ?? mandateBodies[0];
  const named = step.mandate === 'any' ? undefined : nth(mandatesOf(world, subOf(step.client)), step.mandate);
  const cadence = named?.terms.cadence ?? 'daily';
  const slot =
    step.slot === 'present' ? currentSlot(cadence, world.machine(step.gateway % world.gateways()).now()) : OTHER_SLOT;
  const request: ProposalRequestInput = {
    ...{ kind: 'order', order, ttl: step.ttl, mandate: named?.id ?? 'any' },
    ...(step.slot === 'none' || slot === undefined ? {} : { slot }),
    ...(step.only ? { approval: 'mandate' } : {}),
    provenance: { fields: { symbol: { source: 'user' } } },
  };
  for (let n = 0; n < step.times; n++) {
    // Of one person's two agents the other asks for the same, again; at the gateway's other process, where there is one.
    const twin = step.client < 2 ? (step.client + n) % 2 : step.client;
    hands.ask(twin, request, { watch: n === 0, gateway: step.gateway + n });
  }
}

async function overtake(hands: MandateHands, step: MandateStep & { do: 'overtaken' }): Promise<void> {
  const { world } = hands;
  const { body, number, to } = step;
  const id = nth(mandatesOf(world, 'alice'), step.mandate)?.id;
  if (id === undefined || world.gateways() < 2 || world.gateway(number).dead) return;
  const life = world.gateway(number);
  const over = world.hinder('pause');
  const wake = world.standStill();
  life.pauseAfter(step.after);
  const order = nth(mandateBodies, body) ?? mandateBodies[0];
  const request = {
    ...({ kind: 'order', order, mandate: id, approval: 'mandate', ttl: 300 } as const),
    provenance: { fields: { symbol: { source: 'user' as const } } },
  };
  hands.ask(0, request, { watch: false, gateway: number });
  await world.rest();
  void hands.client(1).endMandate(id, to, 1 - number);
  await world.rest();
  await world.advance(step.seconds * 1000);
  wake();
  life.unpause();
  await world.rest();
  over();
}

/** Looks at each account much later, when orders that came to nothing no longer count. */
export async function sweepAccounts(world: World): Promise<void> {
  const booked = new Set(world.broker.book().map(({ client_order_id }) => client_order_id));
  const held = () => world.kept().reservations.filter(({ client_order_id: id }) => !booked.has(id));
  if (held().length === 0) return;
  await world.advance(SWEPT_AFTER_MS);
  await lookAtAccounts(world);
  const until = Math.max(0, ...held().map(({ reserved_until }) => reserved_until ?? 0));
  if (until > world.clock.now()) {
    await world.suspend(until - world.clock.now());
    await lookAtAccounts(world);
  }
  for (const { id, sub } of world.kept().mandates) {
    const client = new Client(world, identities[sub === 'bob' ? 3 : 0] ?? identities[0]);
    void client.askUse(id);
    await world.rest();
    client.life.dieAfter(0);
  }
}

/** Everybody asks what would be decided about an order, so that the gateway looks at their account. */
export async function lookAtAccounts(world: World): Promise<void> {
  for (const number of [0, 3]) {
    // One that no earlier step has told to die.
    const client = new Client(world, identities[number] ?? identities[0]);
    let isChecked = false;
    void client.check(bodies[0]).then((answered) => {
      isChecked = answered;
    });
    await world.rest();
    client.life.dieAfter(0);
    if (!isChecked) throw new Error('an order can’t be tried out, with nothing in the way');
  }
}

function mandatesOf(world: World, sub: string) {
  return world.kept().mandates.filter((mandate) => mandate.sub === sub);
}

function subOf(client: number): string {
  return identities[client % identities.length]?.sub ?? 'alice';
}

function nth<T>(from: readonly T[], number: number): T | undefined {
  return from[number % Math.max(1, from.length)];
}
