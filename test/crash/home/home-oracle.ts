import type { PairedPhone } from '../../e2e/home-world.ts';
import type { GatewayBook } from '../gateway-book.ts';
import type { HomeThatDies } from './home-that-dies.ts';

/** An order as the phone's history shows it. */
interface Shown {
  readonly code: string;
  readonly status: string;
  readonly state: string;
  readonly outcome: string;
}

/**
 * What is wrong with how it ended; empty where nothing is. The broker's book is what counts: one order for each proposal that
 * was signed, none beside, and gateway, record and phone say so.
 * @param signed codes of the proposals that the person's key signed
 */
export async function homeFaults(
  world: HomeThatDies,
  gateway: GatewayBook,
  phone: PairedPhone,
  signed: readonly string[],
): Promise<string[]> {
  const booked = world.sandbox.broker.book().map(({ client_order_id }) => client_order_id);
  const proposals = gateway.proposals();
  const shown = await historyOf(phone);
  const record = gateway.audit();
  const verdict = await gateway.verify();
  const [key] = await world.inside(({ keys }) => keys.list('alice'));
  const wrong = [
    ...(verdict.ok ? [] : [`the record does not hold: ${JSON.stringify(verdict)}`]),
    ...(new Set(booked).size === booked.length ? [] : ['an order is in the book twice']),
    ...(booked.length === signed.length ? [] : [`${booked.length} orders, ${signed.length} were signed`]),
    // What it signed last: a copy with this count, or one below, signs nothing any more.
    ...(key?.counter === phone.authenticator.counter
      ? []
      : [`the counter is ${key?.counter}, the key's ${phone.authenticator.counter}`]),
    ...world.plainSecrets().map(() => 'a key of the broker stands in plain in a file'),
  ];
  for (const { id, code, state, clientOrderId } of proposals) {
    const fault = (text: string) => wrong.push(`${code}: ${text}`);
    if (!signed.includes(code)) fault('nobody signed it');
    if (state !== 'executed') fault(`the gateway says ${state}`);
    if (!booked.includes(clientOrderId)) fault('it is not in the book');
    const own = record.filter(({ proposal }) => proposal === id).map(({ event }) => event);
    for (const event of ['proposed', 'requested', 'approved', 'executing', 'executed']) {
      if (!own.includes(event)) fault(`the record lacks "${event}": ${own.join(', ')}`);
    }
    const [entry, ...more] = shown.filter((one) => one.code === code);
    if (more.length > 0) fault(`the phone shows it ${more.length + 1} times`);
    if (entry?.state !== 'executed' || !/^filled/i.test(entry.outcome)) {
      fault(`the phone says ${entry?.status} ${entry?.state}: ${entry?.outcome}`);
    }
  }
  return wrong;
}

async function historyOf({ browser }: PairedPhone): Promise<Shown[]> {
  const page = await (await browser.visit('/phone/history')).text();
  return page
    .split('data-testid="entry"')
    .slice(1)
    .map((entry) => {
      const read = (pattern: RegExp) => pattern.exec(entry)?.[1] ?? '';
      return {
        code: read(/<span class="mono">([^<]+)</),
        status: read(/data-status="([^"]*)"/),
        state: read(/data-state="([^"]*)"/),
        outcome: read(/data-testid="entry-outcome">(?:<[^>]+>)*\s*([^<]*)</),
      };
    });
}
