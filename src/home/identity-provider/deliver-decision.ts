import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import { isProposalDetails } from '../../approval/details.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { Dec, plain } from '../../trading/decimal.ts';
import type { Faults } from '../faults.ts';
import type { ApprovalRequest, ApprovalRequests } from './approval-requests.ts';
import { scopeOfType } from './approval-subject.ts';

/** Tells the provider what a person decided, so that the next poll is answered. Safe to repeat after a crash. */
export function deliverDecision(options: {
  provider: Provider;
  requests: ApprovalRequests;
  resource: string;
  faults: Faults;
}): (request: ApprovalRequest) => Promise<void> {
  const { provider, requests, resource, faults } = options;
  return async (request) => {
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
        const refused = request.status === 'denied' ? 'the person refused' : 'the request was withdrawn';
        await provider.backchannelResult(kept, new errors.AccessDenied(refused));
      }
    }
    failpoint('idp.delivered');
    requests.delivered(request.id);
  };
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
