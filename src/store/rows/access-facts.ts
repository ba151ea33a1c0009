import type { NewAccessGrant } from '../access-store.ts';

/** A grant as the record has it. */
export function grantFacts({ id, account, role, who, of, from, until }: NewAccessGrant) {
  const time = (ms: number) => new Date(ms).toISOString();
  return {
    access: id,
    sub: account,
    role,
    who,
    of,
    from: time(from),
    until: until === null ? null : time(until),
  };
}
