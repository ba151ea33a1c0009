import type { AccessControl } from '../../approval/access.ts';
import type { AccessStore } from '../../store/access-store.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import type { Permission } from '../../trading/permissions.ts';
import type { PolicyReason } from '../../trading/policy-reasons.ts';
import { defined } from '../../values/defined.ts';
import { type Relations, RelationsUnavailableError } from './relations.ts';
import { createRelations, type RelationsOptions } from './relations-settings.ts';

interface People {
  readonly relations: Relations;
  readonly access: AccessControl;
  /** Stores granted access. Undefined if access is granted on another server. */
  readonly grants: AccessStore | undefined;
}

export function createGatewayAccess(
  {
    relations: settings = { kind: 'embedded' },
    stores,
  }: {
    readonly relations?: RelationsOptions | undefined;
    readonly stores: { readonly access: AccessStore };
  },
  { fetch, now }: { readonly fetch: typeof globalThis.fetch; readonly now: () => number },
): People {
  const { access: store } = stores;
  const relations = createRelations(settings, { store, fetch, now });
  return {
    relations,
    access: relationsAccess(relations, now),
    grants: settings.kind === 'embedded' ? store : undefined,
  };
}

/** Verb phrases for error messages: `NAME may not …`. */
const actionTexts: Readonly<Record<Permission, string>> = {
  can_view: 'view this account',
  can_view_proposals: 'see proposals for this account',
  can_propose: 'propose orders for this account',
  can_replace: 'replace orders of this account',
  can_cancel: 'cancel orders of this account',
  can_withdraw: 'withdraw what is proposed for this account',
  can_approve: 'approve for this account',
  can_approve_second: 'give the second approval for this account',
  can_halt: 'halt this account',
  can_lift: 'lift a halt on this account',
  can_change_policy: 'change the rules of this account',
  can_grant_mandate: 'propose mandates for this account',
  can_revoke_mandate: 'revoke mandates of this account',
  can_grant_access: 'give others access to this account',
};

/** Creates access checks that throw an HTTP problem unless the relations allow the action. */
function relationsAccess(relations: Relations, now: () => number): AccessControl {
  return {
    async require(who, question, account) {
      const allowed = await unlessUnavailable(relations.check({ user: who, relation: question, account, at: now() }));
      if (allowed) return;
      throw denied('RELATION_DENIED', `${who} may not ${actionTexts[question]}`, {
        hint: 'The account’s owner can check access with "trade-agent access list".',
        question,
      });
    },
    async findSecondApprover(account, excluded) {
      const found = await unlessUnavailable(relations.secondApprovers(account, now()));
      const second = found.find((who) => !excluded.includes(who));
      if (second !== undefined) return second;
      throw denied('APPROVAL_NEEDS_SECOND', 'this needs a second person’s approval, but nobody can give it', {
        hint: 'The owner can add a co-owner with "trade-agent access grant NAME co_owner". Or propose a smaller amount.',
        question: 'can_approve_second',
      });
    },
  };
}

async function unlessUnavailable<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof RelationsUnavailableError)) throw error;
    throw denied('RELATION_UNAVAILABLE', `permissions can’t be checked at the moment: ${error.message}`, {
      hint: 'The gateway’s operator should check "relations" in gateway.yaml, and that its server responds.',
    });
  }
}

function denied(
  reason: PolicyReason,
  detail: string,
  { hint, question }: { readonly hint: string; readonly question?: Permission },
): HttpProblem {
  const members = { reason, reasons: [reason], ...defined({ relation: question }) };
  return new HttpProblem(403, 'policy_denied', detail, { hint, members, challenge: {} });
}
