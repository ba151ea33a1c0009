import type { AccessControl } from '../approval/access.ts';
import { AuditSequencer } from '../approval/audit-sequencer.ts';
import { CibaApprovalClient } from '../approval/ciba/ciba-approval-client.ts';
import { detailsTypeByKind } from '../approval/details.ts';
import { ApprovalKernel } from '../approval/kernel/kernel.ts';
import { defaultQuotas } from '../approval/kernel/quotas.ts';
import type { KernelDeps } from '../approval/kernel-deps.ts';
import type { ApprovalKeys } from '../approval/keys/approval-keys.ts';
import type { Kind } from '../approval/kind.ts';
import { accessKind } from '../approval/kinds/access/kind.ts';
import { type BatchPorts, batchKind } from '../approval/kinds/batch/kind.ts';
import { type CancelPorts, cancelKind } from '../approval/kinds/cancel/kind.ts';
import { liftKind } from '../approval/kinds/lift/kind.ts';
import { type MandatePorts, mandateKind } from '../approval/kinds/mandate/kind.ts';
import { type MessagePorts, messageKind } from '../approval/kinds/message/kind.ts';
import { orderKind } from '../approval/kinds/order/kind.ts';
import { type PolicyPorts, policyChangeKind } from '../approval/kinds/policy-change/kind.ts';
import { type ReplacePorts, replaceKind } from '../approval/kinds/replace/kind.ts';
import type { Denial } from '../approval/log-denial.ts';
import { NotificationTokens } from '../approval/notification-tokens.ts';
import { deriveReceiptKey } from '../approval/receipts/receipt-key.ts';
import { ProposalTransitions } from '../approval/transitions.ts';
import type { Clock } from '../machine/clock.ts';
import { createTokenSeal, toSecretList } from '../secrets/token-seal.ts';
import type { AccessStore } from '../store/access-store.ts';
import type { NewPolicyDecision } from '../store/decision-store.ts';
import { policyReasons } from '../trading/policy-reasons.ts';
import type { ProposalKind } from '../trading/proposal.ts';
import { subjectAccount } from '../trading/proposal.ts';
import type { IdentityProvider } from './auth/identity-provider.ts';
import { verifyApprovalToken } from './auth/token-verifier.ts';
import { type GatewayOptions, getErrorCallback } from './gateway-options.ts';
import type { PolicyAction } from './policy/decision.ts';
import { findRequiredAcr } from './policy/parties.ts';
import type { RulesSource } from './policy/rules.ts';

interface ApprovalParts extends Pick<KernelDeps, 'detailsTypes' | 'isUnattended' | 'mandateExcess'> {
  readonly clock: Clock;
  readonly send: typeof fetch;
  readonly provider: IdentityProvider;
  readonly orders: ReplacePorts & CancelPorts & BatchPorts;
  readonly mandates: MandatePorts;
  readonly messages: MessagePorts;
  readonly policy: PolicyPorts;
  readonly signatures: Pick<ApprovalKeys, 'check'> | undefined;
  readonly access: AccessControl;
  readonly grants: AccessStore | undefined;
  readonly rules: RulesSource;
}

/** Kinds of proposals whose approvals must meet the limit `live.acr` (policy/parties.ts). */
const STEP_UP_KINDS: readonly ProposalKind[] = ['order', 'replace', 'batch', 'mandate', 'policy_change'];

/** Creates the approval kernel; returns undefined if approvals are not configured. */
export function createGatewayKernel(options: GatewayOptions, parts: ApprovalParts): ApprovalKernel | undefined {
  const { approval, stores, resource, identifier = resource } = options;
  if (approval === undefined) return undefined;
  const { clock, orders, messages, policy, provider, detailsTypes } = parts;
  const { proposals: store, halts } = stores;
  const kinds: Readonly<Record<ProposalKind, unknown>> = {
    order: orderKind(orders),
    message: messageKind(messages),
    cancel: cancelKind(orders),
    replace: replaceKind(orders),
    batch: batchKind(orders, clock),
    lift: liftKind({ halts, clock }),
    access: accessKind({ store: parts.grants, isKnown: options.isKnown, clock }),
    mandate: mandateKind(parts.mandates, clock),
    policy_change: policyChangeKind({ policy, brokerOf: parts.mandates.brokerOf, clock }),
  };
  return new ApprovalKernel({
    store,
    queue: stores.queue,
    earlyPings: stores.earlyPings,
    others: stores.others,
    moves: new ProposalTransitions(store, createTokenSeal(approval.sealSecret), clock),
    halts,
    access: parts.access,
    audit: new AuditSequencer({
      store: stores.audit,
      key: deriveReceiptKey(toSecretList(approval.sealSecret)[0]),
      gateway: identifier,
      onError: getErrorCallback(options),
    }),
    clock,
    detailsTypes,
    gateway: identifier,
    details: approval.details,
    asking: new CibaApprovalClient({
      issuer: options.issuer,
      resource,
      ...approval,
      clock,
      fetch: parts.send,
      detailsTypes: (Object.keys(kinds) as ProposalKind[]).map((kind) => detailsTypes[kind] ?? detailsTypeByKind[kind]),
    }),
    notificationTokens: new NotificationTokens(approval.sealSecret),
    signatures: parts.signatures,
    isUnattended: parts.isUnattended ?? false,
    mandateExcess: parts.mandateExcess,
    isRevokedBySignal: options.isRevokedBySignal,
    verifyApproval: (token, time) => verifyApprovalToken(token, { provider, resource, clock }, time),
    quotas: approval.quotas ?? defaultQuotas,
    maxTtlSeconds: approval.maxTtl,
    ownClients: new Set(options.ownClients),
    async acrFor({ kind, subject }) {
      const about = STEP_UP_KINDS.includes(kind) ? subjectAccount(subject) : undefined;
      if (about === undefined) return undefined;
      return findRequiredAcr((await parts.rules.current()).limitsOf(about.account), about.environment);
    },
    async onDenial(denied) {
      const { digest } = await parts.rules.current();
      await stores.decisions.note(denialNote(denied, digest, clock.now()), clock.now());
    },
    onError: getErrorCallback(options),
    onProposal: options.onProposal,
    // The schema of each kind has already validated the row.
    getKind: (kind) => kinds[kind] as Kind,
  });
}

const actions: Readonly<Partial<Record<ProposalKind, PolicyAction>>> = {
  order: 'place',
  replace: 'replace',
  message: 'send_message',
};

/** Returns the record of a denial that comes from a halt, a relation or a mandate, and not from the order rules. */
function denialNote(denied: Denial, policy: string, now: number): NewPolicyDecision {
  const { sub, client, proposer, owner, kind, stage, subjectId = '', refusal } = denied;
  const { message, options } = refusal;
  const { reasons = [], limit, value, policy: decidedBy } = options.members ?? {};
  const given = Array.isArray(reasons) ? reasons : [];
  return {
    sub,
    client,
    stage,
    subjectId,
    policy: typeof decidedBy === 'string' ? decidedBy : policy,
    account: '',
    action: actions[kind] ?? kind,
    effect: 'deny',
    reasons: policyReasons
      .filter((reason) => given.includes(reason))
      .sort((a, b) => given.indexOf(a) - given.indexOf(b)),
    texts: [message],
    ...(typeof limit === 'string' ? { limit } : {}),
    ...(typeof value === 'string' ? { value } : {}),
    facts: { at: new Date(now).toISOString(), owner, proposer },
  };
}
