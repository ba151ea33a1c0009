import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import { Dec, plain } from '../../trading/decimal.ts';
import { failpoint } from '../../trading/failpoint.ts';
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
        await provider.backchannelResult(kept, new errors.AccessDenied('the person refused'));
      }
    }
    failpoint('idp.delivered');
    requests.delivered(request.id);
  };
}

/** Another quantity (or amount, or recipient) than the one approved. */
function tampered(details: ApprovalRequest['details']): ApprovalRequest['details'] {
  if (details.recipient !== undefined) return { ...details, recipient: `x${details.recipient}` };
  const field = details.qty === undefined ? 'notional' : 'qty';
  return { ...details, [field]: plain(new Dec(String(details[field])).plus(1)) };
}
