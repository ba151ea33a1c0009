import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import { isProposalDetails } from '../../approval/details.ts';
import type { ApprovalKeys } from '../../approval/keys/approval-keys.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { extendLogContext, runInLogContext } from '../../machine/log-context.ts';
import { parseTraceparent } from '../../net/trace-context.ts';
import { Dec, toPlain } from '../../trading/decimal.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { defined } from '../../values/defined.ts';
import type { ApprovalRequest, ApprovalRequests, Decision, DecisionOutcome } from './approval-requests.ts';
import { approvalScope } from './approval-subject.ts';
import type { ActiveFaults } from './faults.ts';

/** Delivers people's decisions to the provider, which returns them at the client's next poll. */
export type DecisionDelivery = ReturnType<typeof createDecisionDelivery>;

export function createDecisionDelivery(options: {
  readonly provider: () => Promise<Provider>;
  readonly requests: ApprovalRequests;
  readonly resource: string;
  readonly faults: ActiveFaults;
}) {
  const { requests, resource, faults } = options;
  const approve = async (
    provider: Provider,
    kept: BackchannelAuthenticationRequest,
    request: ApprovalRequest,
  ): Promise<void> => {
    const grant = new provider.Grant({ clientId: request.clientId, accountId: request.user });
    grant.addOIDCScope('openid');
    grant.addResourceScope(resource, approvalScope(request.details.type));
    await grant.save();
    failpoint('idp.granted');
    const details = faults.take('tampered_details') ? tampered(request.details) : request.details;
    await provider.backchannelResult(kept, grant, {
      // RFC 8176: a signed approval proves that the person was present and had the phone's key.
      amr: request.evidence === undefined ? ['pwd'] : ['pop', 'user'],
      authTime: Math.floor((request.decidedAt ?? request.requestedAt) / 1000),
      rar: [{ ...details }],
    });
  };
  /** Delivers a decision to the provider. Idempotent, so that it can be repeated after a crash. */
  const deliver = async (request: ApprovalRequest): Promise<void> => {
    const provider = await options.provider();
    const kept = await provider.BackchannelAuthenticationRequest.find(request.authReqId, {
      ignoreExpiration: true,
    });
    extendLogContext(defined({ trace: parseTraceparent(kept?.params?.traceparent) }));
    const isTold = kept?.grantId !== undefined || kept?.error !== undefined;
    // The process that delivered the decision may have crashed before it pinged the client.
    if (kept !== undefined && isTold) await pingAgain(provider, kept);
    else if (kept !== undefined && request.status === 'approved') await approve(provider, kept, request);
    else if (kept !== undefined) await provider.backchannelResult(kept, denialError(request));
    failpoint('idp.delivered');
  };
  const delivering = new Map<string, Promise<void>>();
  const delivery = {
    /** Delivers a decision that is stored but not delivered, unless another process is delivering it. */
    async one(id: string): Promise<void> {
      // A delivery in progress may have started before the decision was stored, so another delivery follows it.
      const earlier = delivering.get(id)?.catch(() => undefined) ?? Promise.resolve();
      const attempt = earlier.then(() => requests.deliverOnce(id, deliver));
      delivering.set(id, attempt);
      try {
        await attempt;
      } finally {
        if (delivering.get(id) === attempt) delivering.delete(id);
      }
    },
    async all(): Promise<void> {
      // Each delivery gets its own log context, because the current context may belong to an unrelated request.
      for (const id of await requests.undelivered()) await runInLogContext({}, () => delivery.one(id));
    },
  };
  return delivery;
}

type BackchannelAuthenticationRequest = InstanceType<Provider['BackchannelAuthenticationRequest']>;

async function pingAgain(provider: Provider, kept: BackchannelAuthenticationRequest): Promise<void> {
  const client = kept.clientId === undefined ? undefined : await provider.Client.find(kept.clientId);
  if (client?.backchannelTokenDeliveryMode === 'ping') await client.backchannelPing(kept);
}

/** Interval in milliseconds for finding decisions that other processes did not deliver because they crashed. */
const UNDELIVERED_INTERVAL_MS = 5_000;

/** Delivers the decisions of crashed processes: now and, if there are other processes, at regular intervals. */
export async function watchDecisionDelivery(
  delivery: DecisionDelivery,
  { others, closing, onError }: { others: unknown; closing: AbortSignal; onError: (message: string) => void },
): Promise<void> {
  await delivery.all();
  if (others === undefined) return;
  const look = () => void delivery.all().catch((error: Error) => onError(error.message));
  const timer = setInterval(look, UNDELIVERED_INTERVAL_MS).unref();
  closing.addEventListener('abort', () => clearInterval(timer));
}

/**
 * Returns the error that explains why there is no token. For a replaced request, the error is `invalid_grant`, because
 * the person did not deny the request.
 */
function denialError({ status, replaced }: ApprovalRequest): errors.OIDCProviderError {
  if (status === 'denied') return new errors.AccessDenied('the person denied the request');
  if (replaced) return new errors.InvalidGrant('a newer request replaced it');
  return new errors.AccessDenied('the request was withdrawn');
}

/** Returns changed details, including a proposal's subject, to simulate a fault. */
function tampered(details: ApprovalRequest['details']): ApprovalRequest['details'] {
  const { subject } = details;
  return isProposalDetails(details) && typeof subject === 'object'
    ? { ...details, subject: changeFields({ ...subject }) }
    : { ...changeFields(details), type: details.type };
}

function changeFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (fields.recipient !== undefined) return { ...fields, recipient: `x${fields.recipient}` };
  const amount = ['qty', 'notional'].find((name) => fields[name] !== undefined);
  return amount === undefined
    ? { ...fields, tampered: true }
    : { ...fields, [amount]: toPlain(new Dec(String(fields[amount])).plus(1)) };
}

export type DecisionRecorder = ReturnType<typeof createDecisionRecorder>;

export function createDecisionRecorder(options: {
  readonly requests: ApprovalRequests;
  readonly delivery: DecisionDelivery;
  /** Verifies signed approvals. Undefined if approvals need no signature. */
  readonly signatures: Pick<ApprovalKeys, 'check'> | undefined;
}) {
  const { requests, delivery, signatures } = options;
  /**
   * Returns a function that records a decision. An approval without a valid signature is not stored, and the request
   * stays pending, because the gateway would reject the approval and the person could not try again.
   * @param user if given, only that person's own requests can be decided
   * @param evidence the signed approval from the phone; not needed for denials
   */
  return async (id: string, decision: Decision, user?: string, evidence?: unknown): Promise<DecisionOutcome> => {
    const request = await requests.find(id);
    const isOwn = request !== undefined && (user === undefined || request.user === user);
    let kept: Readonly<Record<string, unknown>> | undefined;
    if (signatures !== undefined && decision === 'approve' && isOwn && request.status === 'pending') {
      try {
        kept = (await signatures.check(request.details, evidence, request.user)).evidence;
      } catch (error) {
        if (!(error instanceof HttpProblem)) throw error;
        return { outcome: 'not_signed', refusal: error, request };
      }
    }
    const result = await requests.decide(id, decision, user, kept);
    failpoint('idp.decided');
    await delivery.one(id);
    return result;
  };
}
