import Database from 'better-sqlite3-multiple-ciphers';
import type { OpenAccount } from '../../../../src/gateway/broker/accounts.ts';
import { alpacaTraits } from '../../../../src/gateway/broker/alpaca/traits.ts';
import type { SubmissionResult } from '../../../../src/gateway/broker/broker.ts';
import type { BrokerTraits } from '../../../../src/gateway/broker/broker-traits.ts';
import { createAbsenceTracker } from '../../../../src/gateway/orders/absence.ts';
import {
  approvalExpiredProblem,
  recheckWrittenOffOrder,
  type SubmissionContext,
  settleOrderByLookup,
  submitIntent,
} from '../../../../src/gateway/orders/order-submission.ts';
import { formatUtcSeconds } from '../../../../src/machine/clock.ts';
import type { OrderJournal, OrderJournalEntry } from '../../../../src/store/order-journal.ts';
import { createSqliteGatewayStores } from '../../../../src/store/sqlite/gateway-stores.ts';
import { HttpProblem } from '../../../../src/trading/http-problem.ts';
import type { MarketClock, Order } from '../../../../src/trading/views.ts';
import { anOrder, anOrderDraft } from '../../../fixtures/builders.ts';

/** When the order is claimed; its approval ends {@link TTL_MS} later. */
export const START = Date.parse('2026-11-24T15:00:00Z');
export const TTL_MS = 60_000;
export const id = 'ta-00000001';
export const draft = anOrderDraft({
  type: 'market',
  client_order_id: id,
  expires_at: formatUtcSeconds(START + TTL_MS),
});
const intent = { sub: 'alice', clientOrderId: id, draft };
export const claim = {
  ...intent,
  digest: 'digest',
  approval: { issuer: 'https://issuer.example', jti: 'jti-1' },
};

export const order = anOrder({
  client_order_id: id,
  type: 'market',
  time_in_force: 'day',
  limit_price: null,
});
export const unavailable = async (): Promise<never> => {
  throw new HttpProblem(502, 'broker_unavailable', 'the broker cannot be reached');
};

/** An order whose intent was written at the start; a broker, and the clocks of the process that asks it. */
export async function claimed(lookup: BrokerTraits['clientOrderId']['lookup'] = 'for_good') {
  const store = createSqliteGatewayStores(new Database(':memory:')).orders;
  await store.claim(claim, START);
  const reservations: number[] = [];
  const journal: OrderJournal = {
    ...store,
    async writeOff(seen, problem, times) {
      reservations.push(times.reservedUntil);
      return await store.writeOff(seen, problem, times);
    },
  };
  let wall = START;
  let monotonic = 1_000;
  const clock = { now: () => wall, monotonic: () => monotonic, sleep: async () => undefined };
  const adopted: OrderJournalEntry[] = [];
  const context: SubmissionContext = {
    journal,
    clock,
    absence: createAbsenceTracker(clock),
    adopted: async (entry) => void adopted.push(entry),
  };
  const made = {
    ...{ journal, context, adopted, reservations },
    looks: 0,
    /** What the broker tells. */
    found: async (): Promise<Order | undefined> => undefined,
    account: async (): Promise<string> => draft.account,
    market: async (): Promise<Partial<MarketClock>> => ({ next_close: '2026-11-24T21:00:00Z' }),
    pass(ms: number, by: 'both clocks' | 'wall' | 'monotonic' = 'both clocks') {
      if (by !== 'monotonic') wall += ms;
      if (by !== 'wall') monotonic += ms;
    },
    entry: async (): Promise<OrderJournalEntry> => {
      const entry = await store.find('alice', id);
      if (entry === undefined) throw new Error('it is not in the journal');
      return entry;
    },
    settle: async () => await settleOrderByLookup(await made.entry(), broker, context),
    recheck: async () => await recheckWrittenOffOrder(await made.entry(), broker, context),
    /** Looks every 30 s for so long. @returns what the last look came to */
    async settleFor(ms: number) {
      let settled = await made.settle();
      for (let left = ms; left > 0; left -= 30_000) {
        made.pass(Math.min(left, 30_000));
        settled = await made.settle();
      }
      return settled;
    },
    submit: (send: () => Promise<SubmissionResult>, more: Partial<Parameters<typeof submitIntent>[3]> = {}) =>
      submitIntent(intent, send, broker, { ...context, stopped: async () => undefined, ...more }),
    writeOff: async () =>
      await store.writeOff(await made.entry(), approvalExpiredProblem().toProblem(), {
        now: wall,
        reservedUntil: wall + 1,
      }),
  };
  const broker = {
    traits: { ...alpacaTraits, clientOrderId: { acceptedOnce: true, lookup } },
    orderByClientOrderId: async () => {
      made.looks++;
      return await made.found();
    },
    account: async () => ({ account: await made.account() }),
    clock: () => made.market(),
  } as unknown as OpenAccount;
  return made;
}
