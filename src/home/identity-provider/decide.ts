import type { Keys } from '../../approval/keys/keys.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { ApprovalRequests, Decision, DecisionOutcome } from './approval-requests.ts';
import type { Delivery } from './deliver-decision.ts';

export interface DecideOptions {
  readonly requests: ApprovalRequests;
  readonly delivery: Delivery;
  /** The keys that approvals must be signed by; undefined where a tap is enough. */
  readonly signatures: Pick<Keys, 'check'> | undefined;
}

/** Records a person's decision and tells the provider. */
export type Decide = (
  id: string,
  decision: Decision,
  /** Limits it to that person's own requests. */
  user?: string,
  /** What their key signed, as the phone sent it; of no use to a denial, which takes none. */
  evidence?: unknown,
) => Promise<DecisionOutcome>;

/**
 * An approval that is not signed rightly is not kept, and the request waits on: the gateway would refuse it, and the person
 * could not try again.
 */
export function createDecide({ requests, delivery, signatures }: DecideOptions): Decide {
  return async (id, decision, user, evidence) => {
    const request = requests.find(id);
    const isOwn = request !== undefined && (user === undefined || request.user === user);
    let kept: Readonly<Record<string, unknown>> | undefined;
    if (signatures !== undefined && decision === 'approve' && isOwn && request.status === 'pending') {
      try {
        kept = (await signatures.check(request.details, evidence, request.user)).evidence;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return { outcome: 'not_signed', refusal: error, request };
      }
    }
    const result = requests.decide(id, decision, user, kept);
    failpoint('idp.decided');
    await delivery.one(id);
    return result;
  };
}
