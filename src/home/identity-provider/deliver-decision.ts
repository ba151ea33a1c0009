import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import { isProposalDetails } from '../../approval/details.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { Dec, plain } from '../../trading/decimal.ts';
import type { Faults } from '../faults.ts';
import type { ApprovalRequest, ApprovalRequests } from './approval-requests.ts';
import { scopeOfType } from './approval-subject.ts';

interface DeliveryOptions {
  /** As it is now. */
  readonly provider: () => Provider;
  readonly requests: ApprovalRequests;
  readonly resource: string;
  readonly faults: Faults;
}

/** Tells the provider what people decided, so that the next poll is answered. */
export interface Delivery {
  /** A decision that was kept but not delivered (an error in between) is delivered by the next tap. */
  one(id: string): Promise<void>;
  all(): Promise<void>;
}

export function createDelivery(options: DeliveryOptions): Delivery {
  const { requests } = options;
  const deliver = deliverDecision(options);
  const delivering = new Map<string, Promise<void>>();
  const delivery: Delivery = {
    async one(id) {
      const open = requests.undelivered().find((request) => request.id === id);
      if (open === undefined) return;
      const underWay = delivering.get(id) ?? deliver(open).finally(() => delivering.delete(id));
      delivering.set(id, underWay);
      await underWay;
    },
    async all() {
      for (const { id } of requests.undelivered()) await delivery.one(id);
    },
  };
  return delivery;
}

/** Safe to repeat after a crash. */
function deliverDecision(options: DeliveryOptions): (request: ApprovalRequest) => Promise<void> {
  const { requests, resource, faults } = options;
  return async (request) => {
    const provider = options.provider();
    const kept = await provider.BackchannelAuthenticationRequest.find(request.authReqId, {
      ignoreExpiration: true,
    });
    const told = kept === undefined || kept.grantId !== undefined || kept.error !== undefined;
    if (!told) {
      if (request.status === 'approved') {
        const grant = new provider.Grant({ clientId: request.clientId, accountId: request.user });
        grant.addOIDCScope('openid');
        grant.addResourceScope(resource, scopeOfType(request.details.type));
        await grant.save();
        failpoint('idp.granted');
        const details = faults.take('tampered_details') ? tampered(request.details) : request.details;
        await provider.backchannelResult(kept, grant, {
          amr: ['pwd'],
          authTime: Math.floor((request.decidedAt ?? request.requestedAt) / 1000),
          rar: [{ ...details }],
        });
      } else {
        await provider.backchannelResult(kept, noTokenOf(request));
      }
    }
    failpoint('idp.delivered');
    requests.delivered(request.id);
  };
}

/** Why there will be no token: to whoever waits for one that was replaced its answer is lost, and not a no. */
function noTokenOf({ status, replaced }: ApprovalRequest): errors.OIDCProviderError {
  if (status === 'denied') return new errors.AccessDenied('the person refused');
  if (replaced) return new errors.InvalidGrant('another question took its place');
  return new errors.AccessDenied('the request was withdrawn');
}

/** Other details than those approved, down to the subject of a proposal's. */
function tampered(details: ApprovalRequest['details']): ApprovalRequest['details'] {
  const { subject } = details;
  return isProposalDetails(details) && typeof subject === 'object'
    ? { ...details, subject: changed({ ...subject }) }
    : { ...changed(details), type: details.type };
}

/** Another quantity, amount or recipient; a field more where there is none of them. */
function changed(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (fields.recipient !== undefined) return { ...fields, recipient: `x${fields.recipient}` };
  const amount = ['qty', 'notional'].find((name) => fields[name] !== undefined);
  return amount === undefined
    ? { ...fields, tampered: true }
    : { ...fields, [amount]: plain(new Dec(String(fields[amount])).plus(1)) };
}
