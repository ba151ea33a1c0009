import { escapeOpenFgaId } from '../../src/gateway/relations/openfga.ts';
import type { AccessGrant } from '../../src/store/access-store.ts';
import type { Tuple } from './openfga-server.ts';

/** For ever, as a condition needs a time. */
const EVER = '9999-12-31T23:59:59Z';

export const ownerOf = (account: string): Tuple => ({
  user: `user:${escapeOpenFgaId(account)}`,
  relation: 'owner',
  object: `account:${escapeOpenFgaId(account)}`,
});

/** What a grant of the embedded default is at OpenFGA; undefined for what gives nobody anything. */
export function tupleOf({ role, who, of, account, from, until }: AccessGrant): Tuple | undefined {
  const condition = {
    name: 'during',
    context: {
      from: new Date(from).toISOString(),
      until: until === null ? EVER : new Date(until).toISOString(),
    },
  };
  const object = `account:${escapeOpenFgaId(account)}`;
  const user = `user:${escapeOpenFgaId(who)}`;
  switch (role) {
    case 'firm':
    case 'household':
      return { user: `${role}:${escapeOpenFgaId(who)}`, relation: role, object, condition };
    case 'member':
      return of === null
        ? undefined
        : { user, relation: 'member', object: `household:${escapeOpenFgaId(of)}`, condition };
    case 'advisor':
      return { user, relation: 'advisor', object: of === null ? object : `firm:${escapeOpenFgaId(of)}`, condition };
    default:
      return { user, relation: role, object, condition };
  }
}

export function tuplesOf(grants: readonly AccessGrant[]): Tuple[] {
  return grants.flatMap((grant) => tupleOf(grant) ?? []);
}
