import type { ApprovalKeys } from '../../approval/keys/approval-keys.ts';
import type { Proposer } from '../../approval/kind.ts';
import type { MessagePorts } from '../../approval/kinds/message/kind.ts';
import type { Clock } from '../../machine/clock.ts';
import { createDispatchDeadline, withDispatchDeadline } from '../../net/dispatch-deadline.ts';
import type {
  MessageJournal,
  MessageJournalEntry,
  MessageKey,
  MessageLimit,
  MessageResult,
} from '../../store/message-journal.ts';
import type { OtherProcesses } from '../../store/other-processes.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import {
  checkMessage,
  type MessageDraft,
  type MessageService,
  messageDraftSchema,
  type SentMessage,
} from '../../trading/message.ts';
import { buildMessageSendDetails, messageSendDetailsSchema } from '../../trading/message-details.ts';
import {
  invalidContentProblem,
  invalidFieldNames,
  requireApprovedDetails,
  requireSingleDetails,
  requireUnexpiredApproval,
} from '../auth/approved-details.ts';
import { type Caller, toCaller } from '../auth/caller.ts';
import { waitForOtherGateway } from '../auth/other-gateways.ts';
import { ReplayedProblem, toRecordedProblem } from '../auth/problem.ts';
import type { BrokerTokens } from '../broker/broker-token.ts';
import { MAX_DISPATCH_DELAY_MS } from '../orders/order-submission.ts';
import type { MessageDecisionRequest, MessageRules } from '../policy/message-rules.ts';
import { toApprovedSubject } from '../policy/parties.ts';
import type { DeliverMessage, MessageDeliveryOutcome } from './delivery.ts';

/*
 * With one approval, at most one message is sent, although no service can be asked for the outcome, because:
 *
 *  1. The claim decides. In one transaction, before the service gets a request, the journal checks that the message's
 *     ID and the approval are unused, marks the approval as used, and writes the intent.
 *  2. A request that finds another request's intent reports that the outcome will never be known. This is true only if
 *     nobody is still sending the message. Within a process, only one call at a time handles a message (`fly`), from
 *     before its intent is written until its outcome is written. If the intent is another gateway's, the request first
 *     waits longer than sending can take (auth/other-gateways.ts).
 *  3. An outcome is written only if the entry still has the epoch of its claim. A later outcome is `stale` and changes
 *     nothing.
 */

const MESSAGE = { scope: 'messages:write', noun: 'message' } as const;

export interface MessageTransport {
  readonly tokens: BrokerTokens;
  readonly deliver: DeliverMessage;
}

interface MessageServiceOptions {
  readonly journal: MessageJournal;
  readonly outlets: ReadonlyMap<MessageService, MessageTransport>;
  readonly gateway: string;
  /** The issuer of the approval tokens. An approval is identified by its token's issuer and ID. */
  readonly issuer: string;
  readonly detailsType: string;
  readonly signatures?: Pick<ApprovalKeys, 'check'> | undefined;
  readonly rules: MessageRules;
  readonly clock: Clock;
  readonly others?: OtherProcesses | undefined;
}

interface Dispatch {
  readonly message: SentMessage;
  /** True if an earlier or concurrent request sent the message. */
  readonly replay: boolean;
}

export type MessageSender = ReturnType<typeof createMessageSender>;

export function createMessageSender(options: MessageServiceOptions) {
  const { journal } = options;
  const flights = new Map<string, Flight>();

  /** Starts `run` and registers its promise immediately, so that concurrent requests for the message wait for it. */
  function fly(key: MessageKey, digest: string | undefined, run: () => Promise<Known>): Promise<Known> {
    const name = flightKey(key);
    const known = run().finally(() => {
      flights.delete(name);
      options.others?.notify({ landed: key.id });
    });
    flights.set(name, { digest, known });
    return known;
  }

  /**
   * Sends the approved message at most once.
   * @throws {HttpProblem} for the same reasons as `send`
   * @param approved a message whose fields were already compared with the caller's approval
   */
  async function sendApproved(approved: ApprovedMessage, caller: Caller): Promise<Dispatch> {
    const { draft, digest } = approved;
    const key = { sub: caller.sub, id: draft.client_message_id };
    for (let flight = flights.get(flightKey(key)); flight !== undefined; flight = flights.get(flightKey(key))) {
      if (flight.digest === digest) return dispatch((await flight.known).entry, true);
      // The flight is a lookup, or sends another message with the same ID, so waits until its journal entry is final.
      await flight.known.catch(() => undefined);
    }
    const { entry, replay } = await fly(key, digest, () => sendOnce(approved, caller, options));
    return dispatch(entry, replay);
  }

  /** @throws {HttpProblem} 404 `not_found`, 504 `outcome_unknown`, or the recorded problem of a rejected message */
  async function outcome({ sub }: Caller, id: string): Promise<SentMessage> {
    const key = { sub, id };
    let known: Known | undefined;
    for (let flight = flights.get(flightKey(key)); flight !== undefined; flight = flights.get(flightKey(key))) {
      known = await flight.known.catch(() => undefined);
    }
    const look = async (): Promise<Known> => {
      const found = await journal.find(sub, id);
      if (found === undefined) throw neverAsked();
      return { entry: await settleEntry(found, options), replay: true };
    };
    const { entry } = known ?? (await fly(key, undefined, look));
    // The entry is `ready` if nothing was sent and nobody is sending the message.
    if (entry.state === 'ready') throw new HttpProblem(404, 'not_found', 'the message was not sent');
    return dispatch(entry, true).message;
  }

  return {
    /**
     * Sends the message that the request body contains, with the token's approval.
     * @throws {HttpProblem} with a different code for each failure
     * @throws {ReplayedProblem} if the failure was recorded for an earlier request
     */
    async send(caller: Caller, body: unknown): Promise<Dispatch> {
      const target = { gateway: options.gateway, type: options.detailsType };
      const approved = approvedMessage(body, caller, target);
      // Built from the request, so that a dishonest provider can't choose the details whose signature is checked.
      const details = buildMessageSendDetails(approved.draft, { ...target, code: approved.code });
      await options.signatures?.check(details, caller.approvalEvidence, caller.sub);
      return await sendApproved(approved, caller);
    },
    sendApproved,
    /**
     * Checks whether the message is allowed and can be sent now, without sending it or consuming an approval.
     * @throws {HttpProblem} 403 `policy_denied`, 409 `account_not_connected`, 422 `service_not_available`
     */
    async requireSendable(draft: MessageDraft, proposer: Proposer): Promise<void> {
      const { sub: owner, by, clientId: client, membership, accessToken, origin } = proposer;
      const subject = { sub: by ?? owner, client, membership, owner, approval: 'none', approvers: [], origin } as const;
      await options.rules.requireAllowed({ subject, draft, accessToken });
      await admitMessage({ draft }, proposer, options);
    },
    outcome,
  };
}

interface Known {
  readonly entry: MessageJournalEntry;
  readonly replay: boolean;
}

interface Flight {
  /** Digest of the message that is being sent; undefined for a lookup. */
  readonly digest: string | undefined;
  readonly known: Promise<Known>;
}

/** Sends the message, or returns the result if an earlier request sent it. Must be called within `fly`. */
async function sendOnce(approved: ApprovedMessage, caller: Caller, options: MessageServiceOptions): Promise<Known> {
  const { journal, clock, issuer } = options;
  const { draft, digest } = approved;
  const key = { sub: caller.sub, id: draft.client_message_id };
  const known = async (entry: MessageJournalEntry) => ({ entry: await settleEntry(entry, options), replay: true });
  const sent = async (entry: MessageJournalEntry, ready: Ready) => {
    const mine = { ...options, isOurs: caller.isOurs };
    return { entry: await handOver(entry, draft, ready, mine), replay: false };
  };
  const earlier = await journal.find(key.sub, key.id);
  if (earlier === undefined) {
    // Looks up the account before the approval is used, so that the approval stays valid if there is no account yet.
    const { limit, ...ready } = await admitApproved(approved, caller, options);
    const approval = { issuer, jti: caller.jti };
    const claim = await journal.claim({ ...key, digest, approval, draft }, limit, clock.now());
    switch (claim.outcome) {
      case 'over_limit':
        throw await limitReached(approved, caller, options);
      case 'approval_used':
        throw new HttpProblem(403, 'approval_already_used', 'the approval was already used for something else', {
          hint: 'Each message needs its own approval.',
          challenge: { error: 'insufficient_authorization_details', scopes: ['messages:write'] },
        });
      case 'known':
        return await known(requireSame(claim.entry, digest));
      case 'claimed':
        return await sent(claim.entry, ready);
    }
  }
  if (requireSame(earlier, digest).state !== 'ready') return await known(earlier);
  const { limit, ...ready } = await admitApproved(approved, caller, options);
  const claim = await journal.reclaim(earlier, limit, clock.now());
  if (claim.outcome === 'over_limit') throw await limitReached(approved, caller, options);
  return claim.outcome === 'stale' ? await known(claim.entry) : await sent(claim.entry, ready);
}

function requireSame(entry: MessageJournalEntry, digest: string): MessageJournalEntry {
  if (entry.digest === digest) return entry;
  throw new HttpProblem(409, 'client_message_id_conflict', 'this client_message_id belongs to another message', {
    hint: 'Propose the message again with a different client_message_id.',
    fields: ['client_message_id'],
  });
}

/** Checks that the approved message is allowed and can be sent. Must be called before the approval is used. */
async function admitApproved(
  approved: ApprovedMessage,
  caller: Caller,
  options: MessageServiceOptions,
): Promise<Ready & { readonly limit: MessageLimit }> {
  const limit = await options.rules.requireAllowed(toApprovedRequest(approved, caller));
  return { ...(await admitMessage(approved, caller, options)), limit };
}

function toApprovedRequest({ draft }: ApprovedMessage, caller: Caller): MessageDecisionRequest {
  return { subject: toApprovedSubject(caller, 'tap'), draft, accessToken: caller.accessToken };
}

/** Returns the problem of a message that exceeds a limit only because other messages were sent after its check. */
async function limitReached(
  approved: ApprovedMessage,
  caller: Caller,
  { rules }: MessageServiceOptions,
): Promise<HttpProblem> {
  // Throws the limit's problem, unless a new day has begun since.
  await rules.requireAllowed(toApprovedRequest(approved, caller));
  return notSentYet();
}

interface Ready {
  readonly outlet: MessageTransport;
  readonly token: string;
}

/** Checks that the message can be sent. Returns its outlet and a token. Must be called before the approval is used. */
async function admitMessage(
  { draft }: Pick<ApprovedMessage, 'draft'>,
  caller: Pick<Caller, 'sub' | 'accessToken'>,
  { outlets, clock }: MessageServiceOptions,
): Promise<Ready> {
  requireUnexpiredApproval(draft.expires_at, MESSAGE, clock);
  const outlet = outlets.get(draft.service);
  if (outlet === undefined) {
    throw new HttpProblem(
      422,
      'service_not_available',
      `this gateway does not send messages through ${draft.service}`,
      {
        fields: ['service'],
      },
    );
  }
  const token = await accountOf(draft.service, outlet, caller);
  // Checked again, because the identity provider may have been slow.
  requireUnexpiredApproval(draft.expires_at, MESSAGE, clock);
  return { outlet, token };
}

async function handOver(
  claimed: MessageJournalEntry,
  draft: MessageDraft,
  { outlet, token }: Ready,
  { journal, clock, isOurs }: MessageServiceOptions & Pick<Caller, 'isOurs'>,
): Promise<MessageJournalEntry> {
  const { sub, id } = claimed;
  const { service, recipient } = draft;
  if (isOurs !== undefined && !(await isOurs())) {
    await journal.finish(claimed, { state: 'ready' }, clock.now());
    throw notSentYet();
  }
  // Sends nothing after the approval has expired, even if the process was suspended.
  const left = Math.min(Date.parse(draft.expires_at) - clock.now(), MAX_DISPATCH_DELAY_MS);
  const deadline = createDispatchDeadline(left, clock);
  const delivery: MessageDeliveryOutcome = await withDispatchDeadline(deadline, () =>
    outlet.deliver(draft, token),
  ).catch((): MessageDeliveryOutcome => ({ outcome: 'unknown' }));
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
      if (!deadline.nothingSent) return await finish({ state: 'unknown' });
      await finish({ state: 'ready' });
      throw notSentYet();
  }
}

/**
 * Waits until the other gateway that recorded the intent also records the outcome. If that takes too long, the other
 * gateway must have crashed, and the outcome stays unknown.
 */
async function settleEntry(entry: MessageJournalEntry, options: MessageServiceOptions): Promise<MessageJournalEntry> {
  const { journal, clock } = options;
  const landed = await waitForOtherGateway(options, entry, entry.id, {
    look: async () => (await journal.find(entry.sub, entry.id)) ?? entry,
    isUnderWay: ({ state }) => state === 'intent',
  });
  if (landed.state !== 'intent') return landed;
  return (await journal.finish(landed, { state: 'unknown' }, clock.now())).entry;
}

function neverAsked(): HttpProblem {
  return new HttpProblem(404, 'not_found', 'this gateway has no such message');
}

/** Returns a JSON array, because no separator is safe: a provider may put any character into a user's ID. */
function flightKey({ sub, id }: MessageKey): string {
  return JSON.stringify([sub, id]);
}

function dispatch(entry: MessageJournalEntry, replay: boolean): Dispatch {
  if (entry.message !== undefined) return { message: entry.message, replay };
  // The entry is `ready` if another gateway tried to send the message and provably sent nothing.
  if (entry.state === 'ready') throw notSentYet();
  if (entry.problem === undefined) throw outcomeUnknown(entry.id);
  const refusal = toRecordedProblem(entry.problem);
  throw replay ? new ReplayedProblem(refusal.status, refusal.code, refusal.message, refusal.options) : refusal;
}

async function accountOf(
  service: MessageService,
  { tokens }: MessageTransport,
  caller: Pick<Caller, 'sub' | 'accessToken'>,
): Promise<string> {
  try {
    return await tokens.tokenFor(caller);
  } catch (error) {
    if (!(error instanceof HttpProblem) || error.code !== 'account_not_connected') throw error;
    throw notConnected(service);
  }
}

function notConnected(service: MessageService): HttpProblem {
  return new HttpProblem(409, 'account_not_connected', `no ${service} account is connected for this user`, {
    hint: 'Connect the account first.',
    members: { connection: service },
  });
}

function notTaken(
  service: MessageService,
  reason: (MessageDeliveryOutcome & { outcome: 'not_taken' })['reason'],
): HttpProblem {
  if (reason === 'unauthorized') return notConnected(service);
  return new HttpProblem(
    503,
    'service_busy',
    reason === 'rate_limited'
      ? `${service} is rate limiting requests; the message was not sent`
      : `${service} can't be reached; the message was not sent`,
    { hint: 'Send the identical request again in a moment: the approval is still valid.', retryAfter: 5 },
  );
}

function notSentYet(): HttpProblem {
  return new HttpProblem(503, 'service_busy', 'the service did not accept the message; the message was not sent', {
    hint: 'Send the identical request again in a moment: the approval is still valid.',
    retryAfter: 5,
  });
}

function refusedBy(service: MessageService, reason: string): HttpProblem {
  return new HttpProblem(422, 'message_rejected', `${service} rejected the message`, {
    hint: 'See service_reason. Correct the recipient, and propose the message again.',
    members: { service_reason: reason.slice(0, 100) },
  });
}

function outcomeUnknown(id: string): HttpProblem {
  return new HttpProblem(
    504,
    'outcome_unknown',
    'it is unknown whether the message was sent, and there is no way to find out',
    {
      hint: 'Check in the service whether the message was sent before you propose it again. The gateway will not send it again.',
      members: { client_message_id: id, final: true },
    },
  );
}

interface ApprovedMessage {
  readonly draft: MessageDraft;
  readonly digest: string;
}

/**
 * Compares the message with the token's approved details.
 * @throws {HttpProblem} 400 `invalid_message`, 403 `approval_missing`, `approval_ambiguous`, `approval_malformed`,
 * `details_mismatch`
 */
function approvedMessage(
  body: unknown,
  caller: Pick<Caller, 'authorizationDetails'>,
  target: { readonly gateway: string; readonly type: string },
): ApprovedMessage & { readonly code: string | undefined } {
  const kind = { type: target.type, schema: messageSendDetailsSchema, ...MESSAGE };
  const approved = requireSingleDetails(caller, kind);
  const draft = parseMessage(body);
  // The code that the identity provider chose.
  const code = approved.code as string | undefined;
  const demanded = buildMessageSendDetails(draft, { ...target, code });
  requireApprovedDetails(approved, demanded, kind);
  return { draft, digest: demanded.digest, code };
}

function parseMessage(body: unknown): MessageDraft {
  const parsed = messageDraftSchema.safeParse(body);
  if (!parsed.success) {
    const fields = invalidFieldNames(parsed.error.issues);
    throw new HttpProblem(400, 'invalid_message', `the message is malformed: ${fields.join(', ') || 'not an object'}`, {
      fields,
    });
  }
  try {
    checkMessage(parsed.data);
  } catch (error) {
    throw invalidContentProblem('invalid_message', error);
  }
  return parsed.data;
}

export function createMessagePorts(sender: MessageSender): MessagePorts {
  return {
    requireSendable: (draft, proposer) => sender.requireSendable(draft, proposer),
    send: async (approved, owner) => (await sender.sendApproved(approved, toCaller(owner))).message,
    outcome: (proposer, id) => sender.outcome(toCaller(proposer), id),
  };
}
