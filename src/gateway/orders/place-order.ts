import type { Clock } from '../../machine/clock.ts';
import { failpoint } from '../../machine/failpoint.ts';
import type { OrderDraft } from '../../trading/order.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { Order } from '../../trading/views.ts';
import { boundedOrder } from '../../trading/worst-case.ts';
import type { Broker, Submission } from '../broker/broker.ts';
import type { BrokerTraits } from '../broker/broker-traits.ts';
import type { Caller } from '../door/caller.ts';
import { ReplayedRefusal, recordedRefusal } from '../door/recorded-refusal.ts';
import { lastSession } from '../policy/last-session.ts';
import { type OrderPolicy, unknownSymbol } from '../policy/policy.ts';
import { type ApprovedOrder, approvedOrder } from './approved-order.ts';
import type { JournalEntry, OrderJournal, OrderKey } from './order-journal.ts';
import {
  type Intent,
  maySubmitAgain,
  outcomeUnknown,
  settleByLookup,
  submitIntent,
} from './order-submission.ts';
import { changesTo, notReplaceable } from './replacement.ts';

export interface OrderDeskOptions {
  readonly journal: OrderJournal;
  readonly policies: readonly OrderPolicy[];
  readonly brokerFor: (caller: Caller) => Promise<Broker>;
  readonly traits: BrokerTraits;
  readonly gateway: string;
  readonly detailsType: string;
  readonly environment: 'paper' | 'live';
  readonly clock: Clock;
}

export interface Placement {
  readonly order: Order;
  /** True when the order was placed by an earlier request, or by another one at the same time. */
  readonly replay: boolean;
}

/** Where approved orders become real ones. */
export interface OrderDesk {
  /** @throws {Refusal} with a code for each way to fail; a {@link ReplayedRefusal} where it was said before */
  place(caller: Caller, body: unknown): Promise<Placement>;
  /**
   * Places what was approved, or puts it in place of the order that it `replaces`, exactly once however often it is
   * called: a repeat is answered from the journal, settled by asking the broker, or sent where that is safe.
   * @param approved whose fields the caller's approval was compared with already
   * @param caller who approved; its `jti` is used up
   * @throws {Refusal} as `place`, and 409 `not_replaceable`
   */
  placeApproved(approved: ApprovedOrder, caller: Caller): Promise<Placement>;
  /**
   * Settles what is open about the caller's order by asking the broker. Undefined where this gateway never placed it.
   * @throws {Refusal} 504 `outcome_unknown`
   */
  settle(caller: Caller, clientOrderId: string): Promise<JournalEntry | undefined>;
}

export function createOrderDesk(options: OrderDeskOptions): OrderDesk {
  const { journal, clock } = options;
  /** What is being carried out by this process, by user and client_order_id: whoever asks for the same waits for it. */
  const flights = new Map<string, Promise<JournalEntry>>();
  /**
   * New orders of this process, from their checks on. The same request may come twice at once (a proxy repeats what it
   * lost): were it checked twice, one could be placed and the other, the one that is answered, told "price moved".
   */
  const arriving = new Map<string, Arrival>();

  function fly(key: OrderKey, run: () => Promise<JournalEntry>): Promise<JournalEntry> {
    const name = flightOf(key);
    const flight = run().finally(() => flights.delete(name));
    flights.set(name, flight);
    return flight;
  }

  async function placeApproved(approved: ApprovedOrder, caller: Caller): Promise<Placement> {
    const id = approved.draft.client_order_id;
    // Before the expiry check: what became of an order may be asked for as long as the token lives.
    const earlier = journal.find(caller.sub, id);
    if (earlier !== undefined) return replay(earlier, approved, caller);
    const key = JSON.stringify([caller.sub, id, approved.digest, approved.replaces]);
    const same = arriving.get(key);
    if (same !== undefined) return { ...(await same.placement), replay: true };
    const placed = placeNew(approved, caller).finally(() => arriving.delete(key));
    arriving.set(key, { id, sub: caller.sub, placement: placed });
    return placed;
  }

  async function placeNew(approved: ApprovedOrder, caller: Caller): Promise<Placement> {
    const admitted = await admit(approved, caller);
    failpoint('gateway.verified');
    const claim = {
      clientOrderId: approved.draft.client_order_id,
      digest: approved.digest,
      sub: caller.sub,
      jti: caller.jti,
      draft: approved.draft,
      replaces: approved.replaces,
    };
    switch (journal.claim(claim, clock.now())) {
      case 'approval_used':
        throw new Refusal(403, 'approval_already_used', 'the approval was used for another order', {
          hint: 'Each order needs an approval of its own.',
          challenge: { error: 'insufficient_authorization_details', scopes: ['orders:write'] },
        });
      case 'known': {
        const entry = journal.find(caller.sub, claim.clientOrderId);
        if (entry === undefined) throw new Error('the order journal has lost an entry');
        return replay(entry, approved, caller);
      }
      case 'claimed':
        failpoint('gateway.claimed');
        return placement(await fly(claim, () => submit(claim, admitted)), false);
    }
  }

  const submit = (intent: Intent, { broker, send }: Admitted): Promise<JournalEntry> =>
    submitIntent(intent, send, broker, options);

  /** The first result again; an open one is settled first. */
  async function replay(entry: JournalEntry, approved: ApprovedOrder, caller: Caller): Promise<Placement> {
    if (entry.digest !== approved.digest || entry.replaces !== approved.replaces) {
      throw new Refusal(409, 'client_order_id_conflict', 'this client_order_id belongs to another order', {
        hint: 'Propose the order anew, under another client_order_id.',
        fields: ['client_order_id'],
      });
    }
    if (isSettled(entry)) return placement(entry, true);
    const flight = flights.get(flightOf(entry)) ?? fly(entry, () => settleOrSubmit(entry, approved, caller));
    return placement(await flight, true);
  }

  /** What an order without an outcome needs: a look-up, and where that is safe, the submission it never had. */
  async function settleOrSubmit(
    entry: JournalEntry,
    approved: ApprovedOrder,
    caller: Caller,
  ): Promise<JournalEntry> {
    const settled = await askBroker(entry, caller);
    if (settled !== undefined) return settled;
    if (!maySubmitAgain(entry, options.traits, clock.now())) throw outcomeUnknown(entry.clientOrderId);

    let admitted: Admitted;
    try {
      admitted = await admit(approved, caller);
    } catch (error) {
      // "Price moved" would invite a new proposal, while the order may well be at the broker. Only where every
      // submission is known to have come to nothing may the real reason be told.
      if (entry.submittedAt !== null && error instanceof Refusal) throw outcomeUnknown(entry.clientOrderId);
      throw error;
    }
    if (!journal.reclaim(entry, clock.now())) throw outcomeUnknown(entry.clientOrderId);
    failpoint('gateway.reclaimed');
    return submit(entry, admitted);
  }

  /** Every check that needs the world: time, environment, account, market. Uses nothing up. */
  async function admit({ draft, replaces }: ApprovedOrder, caller: Caller): Promise<Admitted> {
    requireUnexpired(draft.expires_at);
    if (draft.environment !== options.environment) {
      throw new Refusal(
        403,
        'environment_mismatch',
        `this gateway trades ${options.environment} accounts only`,
        {
          fields: ['environment'],
          challenge: { error: 'insufficient_authorization_details', scopes: ['orders:write'] },
        },
      );
    }
    const broker = await options.brokerFor(caller);
    // All at once: the price would be no fresher for waiting until the others are there.
    const [account, asset, market, quotes] = await Promise.all([
      broker.account(),
      broker.asset(draft.symbol),
      broker.clock(),
      broker.quotes([draft.symbol]),
    ]);
    if (account.account !== draft.account || account.environment !== draft.environment) {
      throw new Refusal(403, 'account_mismatch', 'the approved account is not the account of this user', {
        fields: ['account'],
        challenge: { error: 'insufficient_authorization_details', scopes: ['orders:write'] },
      });
    }
    if (asset === undefined) throw unknownSymbol(draft.symbol);
    const send = await sending(draft, replaces, broker, options.traits);
    const session = await lastSession(market, broker);
    const quote = quotes.find(({ symbol }) => symbol === draft.symbol);
    if (quote === undefined) throw unknownSymbol(draft.symbol);
    for (const policy of options.policies) {
      await policy({
        caller,
        draft,
        traits: options.traits,
        account,
        asset,
        quote,
        market,
        lastSession: session,
      });
    }
    // Again: the broker may have taken its time.
    requireUnexpired(draft.expires_at);
    return { broker, send };
  }

  function requireUnexpired(expiresAt: string): void {
    if (clock.now() < Date.parse(expiresAt)) return;
    throw new Refusal(403, 'approval_expired', `the approval ended at ${expiresAt}`, {
      hint: 'Propose the order anew.',
      fields: ['expires_at'],
      challenge: { error: 'insufficient_authorization_details', scopes: ['orders:write'] },
    });
  }

  async function settle(caller: Caller, clientOrderId: string): Promise<JournalEntry | undefined> {
    const entry = journal.find(caller.sub, clientOrderId);
    if (entry === undefined) {
      // It is not in the journal, but nobody may conclude that it never will be.
      const isArriving = [...arriving.values()].some(
        ({ id, sub }) => id === clientOrderId && sub === caller.sub,
      );
      if (isArriving) throw outcomeUnknown(clientOrderId);
      return undefined;
    }
    if (isSettled(entry)) return entry;
    const flight = flights.get(flightOf(entry));
    if (flight !== undefined) return flight;
    const settled = await askBroker(entry, caller);
    if (settled === undefined) throw outcomeUnknown(clientOrderId);
    return settled;
  }

  /** While the broker can't be asked, an order that may be there stays unknown: anything else could be read as a no. */
  async function askBroker(entry: JournalEntry, caller: Caller): Promise<JournalEntry | undefined> {
    try {
      return await settleByLookup(entry, await options.brokerFor(caller), options);
    } catch (error) {
      if (entry.submittedAt !== null && error instanceof Refusal) throw outcomeUnknown(entry.clientOrderId);
      throw error;
    }
  }

  return {
    place: async (caller, body) =>
      placeApproved(
        approvedOrder(body, caller, { gateway: options.gateway, type: options.detailsType }),
        caller,
      ),
    placeApproved,
    settle,
  };
}

/** An order that every check let pass, and the one request that makes it. */
interface Admitted {
  readonly broker: Broker;
  readonly send: () => Promise<Submission>;
}

/** @throws {Refusal} 409 `not_replaceable` */
async function sending(
  draft: OrderDraft,
  replaces: string | undefined,
  broker: Broker,
  traits: BrokerTraits,
): Promise<Admitted['send']> {
  if (replaces === undefined) return () => broker.submit(boundedOrder(draft));
  const earlier = await broker.order(replaces);
  if (earlier === undefined) throw notReplaceable('there is no such order in this account');
  const changes = changesTo(draft, earlier, traits);
  return () => broker.replace(replaces, { order: draft, changes });
}

/** JSON, since no separator is safe in what a provider may call a user. */
function flightOf({ sub, clientOrderId }: OrderKey): string {
  return JSON.stringify([sub, clientOrderId]);
}

interface Arrival {
  readonly id: string;
  readonly sub: string;
  readonly placement: Promise<Placement>;
}

function isSettled({ state }: JournalEntry): boolean {
  return state === 'placed' || state === 'rejected';
}

function placement(entry: JournalEntry, replay: boolean): Placement {
  if (entry.order !== undefined) return { order: entry.order, replay };
  if (entry.problem === undefined) throw outcomeUnknown(entry.clientOrderId);
  const refusal = recordedRefusal(entry.problem);
  throw replay
    ? new ReplayedRefusal(refusal.status, refusal.code, refusal.message, refusal.options)
    : refusal;
}
