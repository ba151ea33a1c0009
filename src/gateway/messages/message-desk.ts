import type { Clock } from '../../machine/clock.ts';
import type { MessageDraft, MessageService, SentMessage } from '../../trading/message.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { BrokerTokens } from '../broker/broker-token.ts';
import type { Caller } from '../door/caller.ts';
import { ReplayedRefusal, recordedRefusal } from '../door/recorded-refusal.ts';
import { type ApprovedMessage, approvedMessage } from './approved-message.ts';
import type { Deliver, Delivery } from './delivery.ts';
import type { MessageEntry, MessageJournal, MessageKey } from './message-journal.ts';

/** A service that messages go out by. */
export interface MessageOutlet {
  readonly tokens: BrokerTokens;
  readonly deliver: Deliver;
}

export interface MessageDeskOptions {
  readonly journal: MessageJournal;
  readonly outlets: ReadonlyMap<MessageService, MessageOutlet>;
  readonly gateway: string;
  readonly detailsType: string;
  readonly clock: Clock;
}

export interface Dispatch {
  readonly message: SentMessage;
  /** True when it was sent by an earlier request, or by another one at the same time. */
  readonly replay: boolean;
}

/** Where approved messages go out, each once at most. */
export interface MessageDesk {
  /** @throws {Refusal} with a code for each way to fail; a {@link ReplayedRefusal} where it was said before */
  send(caller: Caller, body: unknown): Promise<Dispatch>;
  /**
   * Sends what was approved, once at most however often it is called.
   * @param approved whose fields the caller's approval was compared with already
   * @throws {Refusal} as `send`
   */
  sendApproved(approved: ApprovedMessage, caller: Caller): Promise<Dispatch>;
  /**
   * Whether a message could go out for this user now; uses nothing up.
   * @throws {Refusal} 409 `account_not_connected`, 422 `service_not_available`
   */
  requireConnected(draft: MessageDraft, who: Pick<Caller, 'sub' | 'accessToken'>): Promise<void>;
  /**
   * What became of the caller's message.
   * @throws {Refusal} 404 `not_found`, 504 `outcome_unknown`, and the refusal of a message that was refused
   */
  outcome(caller: Caller, id: string): Promise<SentMessage>;
}

export function createMessageDesk(options: MessageDeskOptions): MessageDesk {
  const { journal, clock } = options;
  /** What is on its way from this process, by user and id: whoever asks for the same waits for the same. */
  const flights = new Map<string, Promise<MessageEntry>>();

  async function sendApproved(approved: ApprovedMessage, caller: Caller): Promise<Dispatch> {
    const { draft, digest } = approved;
    const id = draft.client_message_id;
    const key = { sub: caller.sub, id };
    const earlier = journal.find(key.sub, id);
    if (earlier !== undefined) return replay(earlier, approved, caller);

    // Before the approval is used: it stands until the account is connected.
    const ready = await admit(approved, caller);
    switch (journal.claim({ ...key, digest, jti: caller.jti, draft }, clock.now())) {
      case 'approval_used':
        throw new Refusal(403, 'approval_already_used', 'the approval was used for something else', {
          hint: 'Each message needs an approval of its own.',
          challenge: { error: 'insufficient_authorization_details', scopes: ['messages:write'] },
        });
      case 'known':
        return replay(entryOf(key), approved, caller);
      case 'claimed':
        return dispatch(await fly(key, () => handOver(approved, caller, ready)), false);
    }
  }

  /** The first result again. What was certainly not sent is sent now. */
  async function replay(entry: MessageEntry, approved: ApprovedMessage, caller: Caller): Promise<Dispatch> {
    if (entry.digest !== approved.digest) {
      throw new Refusal(
        409,
        'client_message_id_conflict',
        'this client_message_id belongs to another message',
        {
          hint: 'Propose the message anew, under another client_message_id.',
          fields: ['client_message_id'],
        },
      );
    }
    const key = { sub: entry.sub, id: entry.id };
    const flight = flights.get(flightOf(key));
    if (flight !== undefined) return dispatch(await flight, true);
    if (entry.state !== 'ready') return dispatch(settled(entry), true);
    const ready = await admit(approved, caller);
    if (!journal.reclaim(key, clock.now())) return dispatch(settled(entryOf(key)), true);
    return dispatch(await fly(key, () => handOver(approved, caller, ready)), false);
  }

  /** Every check that needs the world. Uses nothing up. */
  async function admit(
    { draft }: Pick<ApprovedMessage, 'draft'>,
    caller: Pick<Caller, 'sub' | 'accessToken'>,
  ) {
    requireUnexpired(draft.expires_at);
    const outlet = options.outlets.get(draft.service);
    if (outlet === undefined) {
      throw new Refusal(422, 'service_not_available', `this gateway sends nothing by ${draft.service}`, {
        fields: ['service'],
      });
    }
    const token = await accountOf(draft.service, outlet, caller);
    // Again: the identity provider may have taken its time.
    requireUnexpired(draft.expires_at);
    return { outlet, token };
  }

  async function handOver(
    { draft }: ApprovedMessage,
    caller: Caller,
    { outlet, token }: { outlet: MessageOutlet; token: string },
  ): Promise<MessageEntry> {
    const id = draft.client_message_id;
    const key = { sub: caller.sub, id };
    const { service, recipient } = draft;
    const delivery: Delivery = await outlet
      .deliver(draft, token)
      .catch((): Delivery => ({ outcome: 'unknown' }));
    const now = clock.now();
    switch (delivery.outcome) {
      case 'sent': {
        const sent_at = new Date(now).toISOString();
        const { serviceId: service_id } = delivery;
        const message = { client_message_id: id, service, recipient, service_id, sent_at };
        journal.finish(key, { state: 'sent', message }, now);
        break;
      }
      case 'refused':
        journal.finish(
          key,
          { state: 'refused', problem: refusedBy(service, delivery.reason).toProblem() },
          now,
        );
        break;
      case 'not_taken':
        journal.release(key, now);
        if (delivery.reason === 'unauthorized') outlet.tokens.forget(caller.sub, token);
        throw notTaken(service, delivery.reason);
      case 'unknown':
        journal.finish(key, { state: 'unknown' }, now);
        break;
    }
    return entryOf(key);
  }

  function fly(key: MessageKey, run: () => Promise<MessageEntry>): Promise<MessageEntry> {
    const name = flightOf(key);
    const flight = run().finally(() => flights.delete(name));
    flights.set(name, flight);
    return flight;
  }

  /** An intent that nobody here is carrying out is a dead process's: whether it was sent will never be known. */
  function settled(entry: MessageEntry): MessageEntry {
    if (entry.state !== 'intent') return entry;
    journal.finish(entry, { state: 'unknown' }, clock.now());
    return entryOf(entry);
  }

  function entryOf({ sub, id }: MessageKey): MessageEntry {
    const entry = journal.find(sub, id);
    if (entry === undefined) throw new Error('the message journal has lost an entry');
    return entry;
  }

  function requireUnexpired(expiresAt: string): void {
    if (clock.now() < Date.parse(expiresAt)) return;
    throw new Refusal(403, 'approval_expired', `the approval ended at ${expiresAt}`, {
      hint: 'Propose the message anew.',
      fields: ['expires_at'],
      challenge: { error: 'insufficient_authorization_details', scopes: ['messages:write'] },
    });
  }

  async function outcome(caller: Caller, id: string): Promise<SentMessage> {
    const entry = journal.find(caller.sub, id);
    if (entry === undefined) {
      throw new Refusal(404, 'not_found', 'this gateway was never asked to send such a message');
    }
    const flight = flights.get(flightOf(entry));
    const known = flight === undefined ? settled(entry) : await flight;
    // Certainly not sent, and nobody is sending it.
    if (known.state === 'ready') throw new Refusal(404, 'not_found', 'the message was not sent');
    return dispatch(known, true).message;
  }

  return {
    send: async (caller, body) =>
      sendApproved(
        approvedMessage(body, caller, { gateway: options.gateway, type: options.detailsType }),
        caller,
      ),
    sendApproved,
    requireConnected: async (draft, who) => void (await admit({ draft }, who)),
    outcome,
  };
}

/** JSON, since no separator is safe in what a provider may call a user. */
function flightOf({ sub, id }: MessageKey): string {
  return JSON.stringify([sub, id]);
}

function dispatch(entry: MessageEntry, replay: boolean): Dispatch {
  if (entry.message !== undefined) return { message: entry.message, replay };
  if (entry.problem === undefined) throw outcomeUnknown(entry.id);
  const refusal = recordedRefusal(entry.problem);
  throw replay
    ? new ReplayedRefusal(refusal.status, refusal.code, refusal.message, refusal.options)
    : refusal;
}

/** The token, or a refusal that names the account. */
async function accountOf(
  service: MessageService,
  { tokens }: MessageOutlet,
  caller: Pick<Caller, 'sub' | 'accessToken'>,
): Promise<string> {
  try {
    return await tokens.tokenFor(caller);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'account_not_connected') throw error;
    throw notConnected(service);
  }
}

function notConnected(service: MessageService): Refusal {
  return new Refusal(409, 'account_not_connected', `no ${service} account is connected for this user`, {
    hint: 'Connect the account first.',
    members: { connection: service },
  });
}

function notTaken(service: MessageService, reason: (Delivery & { outcome: 'not_taken' })['reason']): Refusal {
  if (reason === 'unauthorized') return notConnected(service);
  return new Refusal(
    503,
    'service_busy',
    reason === 'rate_limited'
      ? `${service} asks for fewer requests and did not take the message`
      : `${service} can't be reached; the message was not sent`,
    { hint: 'Send the very same request again in a moment: the approval still stands.', retryAfter: 5 },
  );
}

function refusedBy(service: MessageService, reason: string): Refusal {
  return new Refusal(422, 'message_rejected', `${service} did not take the message`, {
    hint: 'See service_reason; correct the recipient, and propose it anew.',
    members: { service_reason: reason.slice(0, 100) },
  });
}

function outcomeUnknown(id: string): Refusal {
  return new Refusal(504, 'outcome_unknown', 'whether the message was sent is not known, and will not be', {
    hint: 'Look there before you propose it anew. It is not sent a second time.',
    members: { client_message_id: id, final: true },
  });
}
