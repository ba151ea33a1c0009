import { TradeAgentError } from '../errors/errors.ts';
import { type AccessResult, type AccessRole, accessRoles } from '../trading/kinds/access.ts';
import { defined } from '../values/defined.ts';
import type { App } from './app.ts';
import type { ApprovalListener } from './approvals/propose-and-wait.ts';
import { resolveIdPrefix } from './resolve-prefix.ts';

/** Access to grant. Times are RFC 3339; a bare date means midnight UTC. */
export interface NewAccess {
  readonly who: string;
  readonly role: string;
  readonly of?: string | undefined;
  readonly from?: string | undefined;
  readonly until?: string | undefined;
}

/**
 * Grants someone access to the person's account, after approval on the phone.
 * @throws {TradeAgentError} `usage` for an unknown role or time; the reason if the grant was not approved
 */
export async function grantAccess(
  app: App,
  { who, role, of, from, until }: NewAccess,
  asking: () => Promise<ApprovalListener>,
): Promise<AccessResult> {
  const access = {
    who,
    role: parseRole(role),
    ...defined({ of }),
    ...(from === undefined ? {} : { from: parseTime(from, '--from') }),
    ...(until === undefined ? {} : { until: parseTime(until, '--until') }),
  };
  const { proposeAndWait } = await import('./approvals/propose-and-wait.ts');
  const request = { kind: 'access', access, requested_by: 'access grant' } as const;
  const settled = await proposeAndWait(app, request, await asking());
  if (settled.kind !== 'access' || settled.result === undefined) throw new TypeError('the access grant has no result');
  return settled.result;
}

/**
 * Revokes access without approval.
 * @param id the full ID or a prefix
 * @returns the full ID
 * @throws `not_found`, `usage`
 */
export async function revokeAccess(app: Pick<App, 'gateway'>, id: string): Promise<string> {
  const whole = await resolveIdPrefix(id, {
    called: 'access grants',
    // IDs of access grants have no fixed format, so any ID could be a prefix.
    whole: /^$/,
    list: async () => (await (await app.gateway()).access()).granted.map((access) => access.id),
  });
  await (await app.gateway()).revokeAccess(whole);
  return whole;
}

function parseRole(text: string): AccessRole {
  const wanted = text.replaceAll('-', '_');
  const role = accessRoles.find((known) => known === wanted);
  if (role !== undefined) return role;
  throw new TradeAgentError('usage', `"${text.slice(0, 40)}" is not an access role`, {
    hint: `Choose one of: ${accessRoles.join(', ')}.`,
  });
}

function parseTime(text: string, option: string): string {
  const whole = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text;
  const at = /^\d{4}-\d{2}-\d{2}T/.test(whole) ? Date.parse(whole) : Number.NaN;
  if (!Number.isNaN(at)) return `${new Date(at).toISOString().slice(0, 19)}Z`;
  throw new TradeAgentError('usage', `${option} must be a date or a time, not "${text.slice(0, 40)}"`, {
    hint: 'Examples: 2027-01-31, 2027-01-31T16:00:00-05:00.',
  });
}
