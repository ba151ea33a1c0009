import { z } from 'zod';
import type { Relations } from './relations.ts';
import { createRelationsClient, type RelationsServer } from './relations-client.ts';

const decided = z.object({ decision: z.boolean() });
const found = z.object({ results: z.array(z.object({ type: z.literal('user'), id: z.string().min(1) })) });

/**
 * Creates relations that query a server through the OpenID AuthZEN Authorization API 1.0: access evaluation (§6) for
 * permissions, and subject search (§8.4) for second approvers.
 * @see https://openid.net/specs/authorization-api-1_0.html
 */
export function createAuthzenRelations(elsewhere: RelationsServer): Relations {
  const ask = createRelationsClient(elsewhere);
  const about = (account: string, relation: string, at: number) => ({
    action: { name: relation },
    resource: { type: 'account', id: account },
    context: { now: new Date(at).toISOString() },
  });
  return {
    async check({ user, relation, account, at }) {
      const question = { subject: { type: 'user', id: user }, ...about(account, relation, at) };
      return (await ask('/access/v1/evaluation', question, decided)).decision;
    },
    async secondApprovers(account, at) {
      const question = { subject: { type: 'user' }, ...about(account, 'can_approve_second', at) };
      const { results } = await ask('/access/v1/search/subject', question, found);
      return results.map(({ id }) => id);
    },
  };
}
