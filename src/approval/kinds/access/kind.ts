import { type Clock, formatUtcSeconds } from '../../../machine/clock.ts';
import type { AccessStore } from '../../../store/access-store.ts';
import { HttpProblem } from '../../../trading/http-problem.ts';
import {
  type AccessRequest,
  type AccessResult,
  type AccessSubject,
  access,
  describeAccess,
} from '../../../trading/kinds/access.ts';
import type { ExecutionOutcome, Kind } from '../../kind.ts';

export interface AccessPorts {
  readonly store: Pick<AccessStore, 'grant'> | undefined;
  /** Whether the provider has a user with this `sub`. Undefined if the provider can't be asked. */
  readonly isKnown?: ((sub: string) => Promise<boolean>) | undefined;
  readonly clock: Pick<Clock, 'now'>;
}

/** Roles of firms and households. Their names are not user names, so the provider does not know them. */
const NAME_ROLES: readonly string[] = ['firm', 'household'];

/** Returns the kind of proposal that grants access to an account. Revoking access needs no approval. */
export function accessKind({ store, isKnown, clock }: AccessPorts): Kind<AccessRequest, AccessSubject, AccessResult> {
  return {
    ...access,
    async complete({ role, who, of, from, until }, { proposer, subjectId, expiresAt }) {
      if (store === undefined) throw accessManagedElsewhereProblem();
      const account = proposer.sub;
      const begin = from ?? formatUtcSeconds(clock.now());
      if (!NAME_ROLES.includes(role)) await requireOther(who, account, isKnown);
      if (until !== undefined && Date.parse(until) <= Math.max(Date.parse(begin), clock.now())) {
        throw invalidAccess('until', 'the access would end before it begins');
      }
      return {
        subject: {
          account,
          role,
          who,
          of: of ?? null,
          from: begin,
          until: until ?? null,
          client_access_id: subjectId,
          expires_at: expiresAt,
        },
        subjectId,
        worstCase: {
          cash: null,
          price: null,
          text: 'This places no order. You will be asked to approve each order that they propose.',
        },
        warnings:
          until === undefined ? ['This access has no end date. Revoke it with "trade-agent access revoke".'] : [],
        shows: {},
      };
    },
    // A binding message has only 64 characters, so the name comes first.
    describe: (subject) => `ALLOW ${describeAccess(subject)}`,
    expiresAt: ({ expires_at }) => expires_at,
    fingerprint: ({ role, who, of, until }) => JSON.stringify([role, who, of, until]),
    async execute({ account, role, who, of, from, until, client_access_id }): Promise<ExecutionOutcome<AccessResult>> {
      if (store === undefined) return { outcome: 'refused', refusal: accessManagedElsewhereProblem() };
      const now = clock.now();
      // Granting is idempotent: access that was granted before is not granted again, even if it has been revoked since.
      const times = { from: Date.parse(from), until: until === null ? null : Date.parse(until) };
      await store.grant({ id: client_access_id, account, role, who, of, ...times }, now);
      return { outcome: 'executed', result: { access: client_access_id, granted_at: formatUtcSeconds(now) } };
    },
    settle: async () => undefined,
    resultText: () => 'access granted',
  };
}

/** Requires another person, whom the provider knows. @throws {HttpProblem} 400 `invalid_proposal`, 404 `not_found` */
async function requireOther(who: string, account: string, isKnown: AccessPorts['isKnown']): Promise<void> {
  if (who === account) throw invalidAccess('who', 'this is your own account');
  if (isKnown === undefined || (await isKnown(who))) return;
  throw new HttpProblem(404, 'not_found', `there is no user "${who}" here`, {
    hint: 'Use the name they sign in with. "trade-agent home user list" on the home’s machine lists all users.',
    fields: ['who'],
  });
}

function invalidAccess(field: string, detail: string): HttpProblem {
  return new HttpProblem(400, 'invalid_proposal', detail, {
    fields: [field],
    hint: 'See "trade-agent access list".',
  });
}

export function accessManagedElsewhereProblem(): HttpProblem {
  return new HttpProblem(409, 'service_not_available', 'access to accounts is managed on another server', {
    hint: 'Change access on the server that is set as "relations" in gateway.yaml.',
  });
}
