import { type Clock, utcSeconds } from '../../../machine/clock.ts';
import type { AccessStore } from '../../../store/access-store.ts';
import {
  type AccessGranted,
  type AccessRequest,
  type AccessSubject,
  access,
  accessLine,
} from '../../../trading/kinds/access.ts';
import { Refusal } from '../../../trading/refusal.ts';
import type { Execution, Kind } from '../../kind.ts';

export interface AccessPorts {
  /** Undefined where it is said elsewhere who stands how to an account. */
  readonly store: Pick<AccessStore, 'grant'> | undefined;
  /** Whether the provider has somebody of this `sub`; left out where it can't be asked. */
  readonly isKnown?: ((sub: string) => boolean) | undefined;
  readonly clock: Pick<Clock, 'now'>;
}

/** Who may be let in whom nobody knows: a firm or household is a name, and nothing else. */
const NAMES: readonly string[] = ['firm', 'household'];

/** Letting somebody at one's account: it takes the owner's tap, and a revocation takes none. */
export function accessKind({
  store,
  isKnown,
  clock,
}: AccessPorts): Kind<AccessRequest, AccessSubject, AccessGranted> {
  return {
    ...access,
    async complete({ role, who, of, from, until }, { proposer, subjectId, expiresAt }) {
      if (store === undefined) throw keptElsewhere();
      const account = proposer.sub;
      const begin = from ?? utcSeconds(clock.now());
      if (!NAMES.includes(role)) requireOther(who, account, isKnown);
      if (until !== undefined && Date.parse(until) <= Math.max(Date.parse(begin), clock.now())) {
        throw wrong('until', 'it would be over before it begins');
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
          text: 'Nothing is traded by this. What they propose, you are asked about.',
        },
        warnings: until === undefined ? ['It has no end: you end it with "trade-agent access revoke".'] : [],
        shows: {},
      };
    },
    // A binding message has 64 characters; the name comes first.
    describe: (subject) => `LET IN ${accessLine(subject)}`,
    expiresAt: ({ expires_at }) => expires_at,
    fingerprint: ({ role, who, of, until }) => JSON.stringify([role, who, of, until]),
    async execute({
      account,
      role,
      who,
      of,
      from,
      until,
      client_access_id,
    }): Promise<Execution<AccessGranted>> {
      if (store === undefined) return { outcome: 'refused', refusal: keptElsewhere() };
      const now = clock.now();
      // Known is as good, also where it was revoked since: it is not given twice.
      const times = { from: Date.parse(from), until: until === null ? null : Date.parse(until) };
      await store.grant({ id: client_access_id, account, role, who, of, ...times }, now);
      return { outcome: 'executed', result: { access: client_access_id, granted_at: utcSeconds(now) } };
    },
    settle: async () => undefined,
    resultText: () => 'let in',
  };
}

/** @throws {Refusal} for one's own account, or somebody whom the provider does not know */
function requireOther(who: string, account: string, isKnown: AccessPorts['isKnown']): void {
  if (who === account) throw wrong('who', 'this is your own account already');
  if (isKnown?.(who) !== false) return;
  throw new Refusal(404, 'not_found', `there is no ${who} here`, {
    hint: 'Name them as they sign in; "trade-agent home user list" at the home’s machine lists who there is.',
    fields: ['who'],
  });
}

function wrong(field: string, detail: string): Refusal {
  return new Refusal(400, 'invalid_proposal', detail, {
    fields: [field],
    hint: 'See "trade-agent access list".',
  });
}

export function keptElsewhere(): Refusal {
  return new Refusal(409, 'service_not_available', 'who may do what about an account is kept elsewhere', {
    hint: 'It is kept by the server that "relations" in gateway.yaml names: change it there.',
  });
}
