import { z } from 'zod';
import { ORDER_SCOPE, PROPOSE_ORDERS_SCOPE } from '../../oauth/scopes.ts';
import { type FieldWords, toDetailFields } from '../detail-fields.ts';
import { defineKind } from './kind-words.ts';
import { changePhrases } from './phrases.ts';

export const accessRoles = ['co_owner', 'advisor', 'viewer', 'firm', 'household', 'member'] as const;
export type AccessRole = (typeof accessRoles)[number];

const name = z.lazy(() =>
  z.string().regex(/^[\x21-\x7e]{1,128}$/, 'must be one word of up to 128 letters, digits and symbols'),
);
const time = z.lazy(() => z.iso.datetime({ precision: 0 }));

const requestSchema = z.lazy(() =>
  z
    .strictObject({
      role: z.enum(accessRoles),
      who: name,
      of: name.optional(),
      from: time.optional(),
      until: time.optional(),
    })
    .superRefine(({ role, of }, context) => {
      const message =
        role === 'member' && of === undefined
          ? 'a member needs a household'
          : of !== undefined && role !== 'member' && role !== 'advisor'
            ? 'only an advisor can have a firm, and only a member can have a household'
            : undefined;
      if (message !== undefined) context.addIssue({ code: 'custom', path: ['of'], message });
    }),
);
export type AccessRequest = z.output<typeof requestSchema>;

const subjectSchema = z.lazy(() =>
  z.strictObject({
    account: z.string(),
    role: z.enum(accessRoles),
    who: name,
    of: name.nullable(),
    from: time,
    until: time.nullable(),
    client_access_id: z.string(),
    expires_at: z.iso.datetime({ precision: 0 }),
  }),
);
export type AccessSubject = z.output<typeof subjectSchema>;

const resultSchema = z.lazy(() => z.object({ access: z.string(), granted_at: z.string() }));
export type AccessResult = z.output<typeof resultSchema>;

const roleDescriptions: Readonly<Record<AccessRole, string>> = {
  co_owner: 'can do everything you can except give others access; is the second approver if two are needed',
  advisor: 'can see the account and propose orders, which you approve; can cancel orders and halt trading',
  viewer: 'can see the account',
  firm: 'anyone you name as its advisor gets an advisor’s access',
  household: 'anyone you name as its member can see the account',
  member: 'can see the account as a member of the household',
};

const roleNames: Readonly<Record<AccessRole, string>> = {
  co_owner: 'co-owner',
  advisor: 'advisor',
  viewer: 'viewer',
  firm: 'firm',
  household: 'household',
  member: 'member',
};

export function describeAccess(subject: Pick<AccessSubject, 'who' | 'role' | 'of' | 'until'>): string {
  const { who, role, of, until } = subject;
  return `${who} as ${roleNames[role]}${of === null ? '' : ` of ${of}`}${until === null ? '' : ` until ${until}`}`;
}

const fieldWords: FieldWords = {
  client_access_id: { label: 'Access ID' },
  who: { label: 'Who' },
  role: { label: 'Role' },
  of: { label: 'Firm or household' },
  from: { label: 'Starts' },
  until: { label: 'Ends' },
  account: { label: 'Account owner' },
};

export const access = defineKind({
  name: 'access',
  detailsType: 'account_access',
  action: 'grant',
  scope: ORDER_SCOPE,
  proposeScope: PROPOSE_ORDERS_SCOPE,
  passesHalt: true,
  requestSchema,
  subjectSchema,
  resultSchema,
  check: () => {},
  summary: (subject) => `ALLOW ${describeAccess(subject)}`,
  toOutcome: () => ({}),
  phrases: changePhrases,
  terminal: {
    called: 'access',
    headline: (subject) => `ALLOW ${describeAccess(subject)}`,
    fields: (subject) => [
      ['who', describeAccess(subject)],
      ['may', roleDescriptions[subject.role]],
      ['from', subject.from],
    ],
    brief: () => [],
  },
  phone: {
    called: 'access to your account',
    banner: { sign: '☺', word: 'ACCESS', what: 'someone else gets access to your account' },
    fieldWords,
    view: (subject) => ({
      headline: `Allow ${describeAccess({ ...subject, until: null })}`,
      terms: `${subject.who}: ${roleDescriptions[subject.role]}${subject.until === null ? '' : ` · until ${subject.until}`}`,
      fields: toDetailFields({ ...subject, of: subject.of ?? '-', until: subject.until ?? 'no end date' }, fieldWords),
    }),
  },
});
