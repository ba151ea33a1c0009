import type { Keys } from '../../approval/keys/keys.ts';
import type { MessagePorts } from '../../approval/kinds/message/kind.ts';
import type { Clock } from '../../machine/clock.ts';
import { deadlineAfter, withDispatchDeadline } from '../../net/dispatch-deadline.ts';
import type { MessageEntry, MessageJournal, MessageKey, MessageResult } from '../../store/message-journal.ts';
import type { OtherProcesses } from '../../store/other-processes.ts';
import {
  checkMessage,
  type MessageDraft,
  type MessageService,
  messageDraftSchema,
  type SentMessage,
} from '../../trading/message.ts';
import { messageSendDetails, messageSendDetailsSchema } from '../../trading/message-details.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { BrokerTokens } from '../broker/broker-token.ts';
import {
  approvedDetails,
  issueFields,
  requireApproved,
  requireUnexpired,
  unsound,
} from '../door/approved-details.ts';
import { type Caller, callerOf } from '../door/caller.ts';
import { whenLanded } from '../door/landing.ts';
import { ReplayedRefusal, recordedRefusal } from '../door/problem.ts';
import { DISPATCH_MS } from '../orders/order-submission.ts';
import type { Deliver, Delivery } from './delivery.ts';

/*
 * One approval, one message at most, though no service can be asked what became of one.
 *
 *  1. The claim. The journal looks whether the id is free and the approval unused, uses it and writes the intent in one
 *     unit of work, before the service hears of it.
 *  2. Whoever finds an intent says that nobody will ever know. That is true only where nobody is handing the message
 *     over: in one process one flight at a time has a message, begun before anything is awaited, so it is there before the
 *     intent that it writes, and until what came of it is. Where several gateways have the same journal, an intent is given
 *     longer than a handing over can take (door/landing.ts); what is said late is `stale`, and sends nothing a second time.
 *  3. What came of a handing over is written only to the entry as it was claimed (its epoch): a late word about an
 *     earlier one changes nothing.
 */

/** What an approval of a message is about, for its refusals. */
const MESSAGE = { scope: 'messages:write', noun: 'message' } as const;

/** A service that messages go out by. */
export interface MessageOutlet {
  readonly tokens: BrokerTokens;
  readonly deliver: Deliver;
}

interface MessageDeskOptions {
  readonly journal: MessageJournal;
  readonly outlets: ReadonlyMap<MessageService, MessageOutlet>;
  readonly gateway: string;
  /** Whose approvals count: with the token's id, what an approval is used up by. */
  readonly issuer: string;
  readonly detailsType: string;
  /** Where approvals are signed: whether this one is, by whom it must be. */
  readonly signatures?: Pick<Keys, 'check'> | undefined;
  readonly clock: Clock;
  readonly others?: OtherProcesses | undefined;
}

interface Dispatch {
  readonly message: SentMessage;
  /** True when it was sent by an earlier request, or by another one at the same time. */
  readonly replay: boolean;
}

/** Where approved messages go out, each once at most. */
export type MessageDesk = ReturnType<typeof createMessageDesk>;

export function createMessageDesk(options: MessageDeskOptions) {
  const { journal } = options;
  /** What this process does about a message, by user and id. */
  const flights = new Map<string, Flight>();

  /** Alone in this process for one message; begun before anything is awaited. */
  function fly(key: MessageKey, digest: string | undefined, run: () => Promise<Known>): Promise<Known> {
    const name = flightOf(key);
    const known = run().finally(() => {
      flights.delete(name);
      options.others?.tell({ landed: key.id });
    });
    flights.set(name, { digest, known });
    return known;
  }

  /**
   * Sends what was approved, once at most however often it is called.
   * @param approved whose fields the caller's approval was compared with already
   * @throws {Refusal} as `send`
   */
  async function sendApproved(approved: ApprovedMessage, caller: Caller): Promise<Dispatch> {
    const { draft, digest } = approved;
    const key = { sub: caller.sub, id: draft.client_message_id };
    for (let flight = flights.get(flightOf(key)); flight !== undefined; flight = flights.get(flightOf(key))) {
      if (flight.digest === digest) return dispatch((await flight.known).entry, true);
      // A look, or another message of this id, which then is in the journal or not.
      await flight.known.catch(() => undefined);
    }
    const { entry, replay } = await fly(key, digest, () => sendOnce(approved, caller, options));
    return dispatch(entry, replay);
  }

  /**
   * What became of the caller's message.
   * @throws {Refusal} 404 `not_found`, 504 `outcome_unknown`, and the refusal of a message that was refused
   */
  async function outcome({ sub }: Caller, id: string): Promise<SentMessage> {
    const key = { sub, id };
    let known: Known | undefined;
    for (let flight = flights.get(flightOf(key)); flight !== undefined; flight = flights.get(flightOf(key))) {
      known = await flight.known.catch(() => undefined);
    }
    const look = async (): Promise<Known> => {
      const found = await journal.find(sub, id);
      if (found === undefined) throw neverAsked();
      return { entry: await settled(found, options), replay: true };
    };
    const { entry } = known ?? (await fly(key, undefined, look));
    // Certainly not sent, and nobody is sending it.
    if (entry.state === 'ready') throw new Refusal(404, 'not_found', 'the message was not sent');
    return dispatch(entry, true).message;
  }

  return {
    /** @throws {Refusal} with a code for each way to fail; a {@link ReplayedRefusal} where it was said before */
    async send(caller: Caller, body: unknown): Promise<Dispatch> {
      const target = { gateway: options.gateway, type: options.detailsType };
      const approved = approvedMessage(body, caller, target);
      // Of details that the token and the request agree in: a provider that lies can't go around by a token of its own making.
      const details = messageSendDetails(approved.draft, target);
      await options.signatures?.check(details, caller.approvalEvidence, caller.sub);
      return await sendApproved(approved, caller);
    },
    sendApproved,
    /**
     * Whether a message could go out for this user now; uses nothing up.
     * @throws {Refusal} 409 `account_not_connected`, 422 `service_not_available`
     */
    async requireConnected(draft: MessageDraft, who: Pick<Caller, 'sub' | 'accessToken'>): Promise<void> {
      await admit({ draft }, who, options);
    },
    outcome,
  };
}

/** What is known of a message, and whether an earlier request's doing. */
interface Known {
  readonly entry: MessageEntry;
  readonly replay: boolean;
}

interface Flight {
  /** Of the message that is sent; undefined for a look. */
  readonly digest: string | undefined;
  readonly known: Promise<Known>;
}

/** The first result again, where there is one. What was certainly not sent is sent now. To be called in a flight. */
async function sendOnce(
  approved: ApprovedMessage,
  caller: Caller,
  options: MessageDeskOptions,
): Promise<Known> {
  const { journal, clock, issuer } = options;
  const { draft, digest } = approved;
  const key = { sub: caller.sub, id: draft.client_message_id };
  const earlier = await journal.find(key.sub, key.id);
  if (earlier === undefined) {
    // Before the approval is used: it stands until the account is connected.
    const ready = await admit(approved, caller, options);
    const approval = { issuer, jti: caller.jti };
    const claim = await journal.claim({ ...key, digest, approval, draft }, clock.now());
    switch (claim.outcome) {
      case 'approval_used':
        throw new Refusal(403, 'approval_already_used', 'the approval was used for something else', {
          hint: 'Each message needs an approval of its own.',
          challenge: { error: 'insufficient_authorization_details', scopes: ['messages:write'] },
        });
      case 'known':
        return { entry: await settled(requireSame(claim.entry, digest), options), replay: true };
      case 'claimed':
        return {
          entry: await handOver(claim.entry, draft, ready, { ...options, isOurs: caller.isOurs }),
          replay: false,
        };
    }
  }
  if (requireSame(earlier, digest).state !== 'ready') {
    return { entry: await settled(earlier, options), replay: true };
  }
  const ready = await admit(approved, caller, options);
  const claim = await journal.reclaim(earlier, clock.now());
  if (claim.outcome === 'stale') return { entry: await settled(claim.entry, options), replay: true };
  return {
    entry: await handOver(claim.entry, draft, ready, { ...options, isOurs: caller.isOurs }),
    replay: false,
  };
}

function requireSame(entry: MessageEntry, digest: string): MessageEntry {
  if (entry.digest === digest) return entry;
  throw new Refusal(409, 'client_message_id_conflict', 'this client_message_id belongs to another message', {
    hint: 'Propose the message anew, under another client_message_id.',
    fields: ['client_message_id'],
  });
}

interface Ready {
  readonly outlet: MessageOutlet;
  readonly token: string;
}

/** Every check that needs the world. Uses nothing up. */
async function admit(
  { draft }: Pick<ApprovedMessage, 'draft'>,
  caller: Pick<Caller, 'sub' | 'accessToken'>,
  { outlets, clock }: MessageDeskOptions,
): Promise<Ready> {
  requireUnexpired(draft.expires_at, MESSAGE, clock);
  const outlet = outlets.get(draft.service);
  if (outlet === undefined) {
    throw new Refusal(422, 'service_not_available', `this gateway sends nothing by ${draft.service}`, {
      fields: ['service'],
    });
  }
  const token = await accountOf(draft.service, outlet, caller);
  // Again: the identity provider may have taken its time.
  requireUnexpired(draft.expires_at, MESSAGE, clock);
  return { outlet, token };
}

/** @param claimed the entry as this request claimed it */
async function handOver(
  claimed: MessageEntry,
  draft: MessageDraft,
  { outlet, token }: Ready,
  { journal, clock, isOurs }: MessageDeskOptions & Pick<Caller, 'isOurs'>,
): Promise<MessageEntry> {
  const { sub, id } = claimed;
  const { service, recipient } = draft;
  if (isOurs !== undefined && !(await isOurs())) {
    await journal.finish(claimed, { state: 'ready' }, clock.now());
    throw notSentYet();
  }
  // No byte leaves after the approval has expired, wherever the process stood still.
  const left = Math.min(Date.parse(draft.expires_at) - clock.now(), DISPATCH_MS);
  const deadline = deadlineAfter(left, clock);
  const delivery: Delivery = await withDispatchDeadline(deadline, () => outlet.deliver(draft, token)).catch(
    (): Delivery => ({ outcome: 'unknown' }),
  );
  const now = clock.now();
  const finish = async (result: MessageResult) => (await journal.finish(claimed, result, now)).entry;
  switch (delivery.outcome) {
    case 'sent': {
      const sent_at = new Date(now).toISOString();
      const { serviceId: service_id } = delivery;
      return await finish({
        state: 'sent',
        message: { client_message_id: id, service, recipient, service_id, sent_at },
      });
    }
    case 'refused':
      return await finish({ state: 'refused', problem: refusedBy(service, delivery.reason).toProblem() });
    case 'not_taken':
      await finish({ state: 'ready' });
      if (delivery.reason === 'unauthorized') outlet.tokens.forget(sub, token);
      throw notTaken(service, delivery.reason);
    case 'unknown':
      if (!deadline.nothingLeft) return await finish({ state: 'unknown' });
      await finish({ state: 'ready' });
      throw notSentYet();
  }
}

/**
 * An intent found by whoever is alone with the message, and that no other gateway ends in the time it has, is a dead process's:
 * whether it was sent will never be known. To be called in a flight.
 */
async function settled(entry: MessageEntry, options: MessageDeskOptions): Promise<MessageEntry> {
  const { journal, clock } = options;
  const landed = await whenLanded(options, entry, entry.id, {
    look: async () => (await journal.find(entry.sub, entry.id)) ?? entry,
    isUnderWay: ({ state }) => state === 'intent',
  });
  if (landed.state !== 'intent') return landed;
  return (await journal.finish(landed, { state: 'unknown' }, clock.now())).entry;
}

function neverAsked(): Refusal {
  return new Refusal(404, 'not_found', 'this gateway was never asked to send such a message');
}

/** JSON, since no separator is safe in what a provider may call a user. */
function flightOf({ sub, id }: MessageKey): string {
  return JSON.stringify([sub, id]);
}

function dispatch(entry: MessageEntry, replay: boolean): Dispatch {
  if (entry.message !== undefined) return { message: entry.message, replay };
  // Another gateway's try, which the service certainly did not take.
  if (entry.state === 'ready') throw notSentYet();
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

function notSentYet(): Refusal {
  return new Refusal(503, 'service_busy', 'the service did not take the message; it was not sent', {
    hint: 'Send the very same request again in a moment: the approval still stands.',
    retryAfter: 5,
  });
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

/** A message that its sender approved, to the last character. */
interface ApprovedMessage {
  readonly draft: MessageDraft;
  readonly digest: string;
}

/**
 * Compares the message of a request with the approved details inside the token.
 * @throws {Refusal} 400 `invalid_message`, 403 `approval_missing`, `approval_ambiguous`, `approval_malformed`,
 *   `details_mismatch`
 */
function approvedMessage(
  body: unknown,
  caller: Pick<Caller, 'authorizationDetails'>,
  target: { readonly gateway: string; readonly type: string },
): ApprovedMessage {
  const kind = { type: target.type, schema: messageSendDetailsSchema, ...MESSAGE };
  const approved = approvedDetails(caller, kind);
  const draft = parseMessage(body);
  const demanded = messageSendDetails(draft, target);
  requireApproved(approved, demanded, kind);
  return { draft, digest: demanded.digest };
}

function parseMessage(body: unknown): MessageDraft {
  const parsed = messageDraftSchema.safeParse(body);
  if (!parsed.success) {
    const fields = issueFields(parsed.error.issues);
    throw new Refusal(
      400,
      'invalid_message',
      `the message is malformed: ${fields.join(', ') || 'not an object'}`,
      { fields },
    );
  }
  try {
    checkMessage(parsed.data);
  } catch (error) {
    throw unsound('invalid_message', error);
  }
  return parsed.data;
}

/** What the approval kernel does about messages: by this gateway's desk. */
export function messagePorts(desk: MessageDesk): MessagePorts {
  return {
    requireConnected: (draft, proposer) => desk.requireConnected(draft, proposer),
    send: async (approved, owner) => (await desk.sendApproved(approved, callerOf(owner))).message,
    outcome: (asker, id) => desk.outcome(callerOf(asker), id),
  };
}
