import { z } from 'zod';
import { ORDER_SCOPE, PROPOSE_ORDERS_SCOPE } from '../../oauth/scopes.ts';
import { type DetailField, type FieldWords, toDetailFields } from '../detail-fields.ts';
import { environmentName } from '../environment.ts';
import { flattenLimits, formatLimit, isRecipientChange, limitLabel } from '../limit-words.ts';
import { accountNumberSchema, environments } from '../order.ts';
import { defineKind } from './kind-words.ts';
import { changePhrases } from './phrases.ts';

const digest = z.lazy(() => z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be a rules digest'));

/** Maximum total length of the rule files, in UTF-16 code units, because people must read them on a phone. */
const MAX_POLICIES_LENGTH = 4_000;
export const MAX_CHANGE_LINE_LENGTH = 300;
export const MAX_CHANGE_LINES = 80;

const policyFile = () =>
  z.string().regex(/^[a-z0-9][a-z0-9-]{0,40}\.cedar$/, 'must be a name such as no-options.cedar');

/** The owner's rule files to change, by name: the new text, or null to delete the file. */
const policyTextsSchema = z.lazy(() =>
  z
    .record(policyFile(), z.string().max(MAX_POLICIES_LENGTH).nullable())
    .refine(
      (texts) => Object.values(texts).join('').length <= MAX_POLICIES_LENGTH,
      `must have at most ${MAX_POLICIES_LENGTH} characters in total`,
    ),
);

const accountLimitsJson = z.lazy(() => z.record(z.string().max(40), z.json()));

/** The changes to the rules. `base` is the digest of the rules to change. Omitted parts stay unchanged. */
const requestSchema = z.lazy(() =>
  z.strictObject({
    /** The account's number. Defaults to the person's default account. */
    account: accountNumberSchema.optional(),
    base: digest,
    limits: accountLimitsJson.optional(),
    policies: policyTextsSchema.optional(),
  }),
);
export type PolicyChangeRequest = z.output<typeof requestSchema>;

const changeLine = z
  .string()
  .regex(/^(?:looser|tighter): ./u, 'must be a line such as "looser: …"')
  .max(MAX_CHANGE_LINE_LENGTH);

const subjectSchema = z.lazy(() =>
  z.strictObject({
    account: z.string(),
    environment: z.enum(environments),
    /** Digest of the rules to change. The change applies only while the rules still have this digest. */
    previous: digest,
    digest,
    changes: z.array(changeLine).min(1).max(MAX_CHANGE_LINES),
    limits: accountLimitsJson,
    policies: policyTextsSchema,
    client_policy_id: z.string(),
    expires_at: z.iso.datetime({ precision: 0 }),
  }),
);
export type PolicyChangeSubject = z.output<typeof subjectSchema>;

const resultSchema = z.lazy(() => z.object({ digest: z.string(), changed_at: z.string() }));
export type PolicyChangeResult = z.output<typeof resultSchema>;

const fieldWords: FieldWords = {
  previous: { label: 'Previous rules', technical: true },
  client_policy_id: { label: 'Change ID' },
};

function splitChangeLine(line: string): [word: string, text: string] {
  const at = line.indexOf(': ');
  return [line.slice(0, at), line.slice(at + 2)];
}

const isLooser = (line: string) => line.startsWith('looser');

function headline({ changes: [first = '', ...rest] }: Pick<PolicyChangeSubject, 'changes'>): string {
  const more = rest.length === 0 ? '' : `, and ${rest.length} more`;
  const recipient = findNewRecipient([first]);
  if (recipient !== undefined) return `Allow messages to ${recipient}${more}`;
  return `${isLooser(first) ? 'Loosen' : 'Tighten'} the rules: ${splitChangeLine(first)[1]}${more}`;
}

/** Returns the recipient that a change adds, such as `#trading on Slack`. A change adds at most one. */
export function findNewRecipient(changes: PolicyChangeSubject['changes']): string | undefined {
  const line = changes.find((one) => isLooser(one) && isRecipientChange(splitChangeLine(one)[1]));
  return line?.replace(/^looser: Messages may be sent to /u, '');
}

/** Returns one row per line of a rule file, so that no line can be mistaken for another field. */
function policyRows(policies: PolicyChangeSubject['policies']): [name: string, line: string][] {
  return Object.entries(policies).flatMap(([name, text]) =>
    (text ?? '(removed)').split('\n').map((line, index): [string, string] => [index === 0 ? name : '', line]),
  );
}

export const policyChange = defineKind({
  name: 'policy_change',
  detailsType: 'policy_change',
  action: 'change_policy',
  scope: ORDER_SCOPE,
  proposeScope: PROPOSE_ORDERS_SCOPE,
  // While trading is halted, no rule may be loosened.
  passesHalt: false,
  requestSchema,
  subjectSchema,
  resultSchema,
  check: () => {},
  environment: ({ environment }) => environment,
  summary: ({ account, changes }) => `${changes.some(isLooser) ? 'LOOSEN' : 'TIGHTEN'} RULES ${account}`,
  toOutcome: () => ({}),
  phrases: {
    ...changePhrases,
    nothing: 'The rules are unchanged.',
    inProgress: (id) => `the rule change for approval ${id} may already have been made`,
    again: 'change the rules',
    twice: 'made',
  },
  terminal: {
    called: 'rule change',
    headline,
    fields: ({ account, environment, changes, policies, previous, digest: next }) => [
      ['rules of', `${account} ${environmentName(environment)}`],
      ...changes.map(splitChangeLine),
      ...policyRows(policies),
      ['before', previous],
      ['after', next],
    ],
    brief: ({ changes }) => changes.slice(1),
  },
  phone: {
    called: 'rule change',
    // The headline shows only the first change, so people must read the fields before they decide.
    fieldsFirst: true,
    fieldWords,
    view: (subject) => {
      const { changes, limits, policies, ...rest } = subject;
      const looser = changes.filter(isLooser).length;
      const tighter = changes.length - looser;
      return {
        headline: headline(subject),
        terms: `${looser === 0 ? 'Allows nothing new' : 'Allows more'}: ${looser} looser, ${tighter} tighter`,
        fields: [
          ...changes.map(changeField),
          ...policyRows(policies).map(
            ([name, line], index): DetailField => ({
              name: `policies.${index}`,
              label: name,
              text: line,
              technical: false,
            }),
          ),
          ...limitFields(limits),
          ...toDetailFields(rest, fieldWords),
        ],
      };
    },
  },
});

function changeField(line: string, index: number): DetailField {
  const [word, text] = splitChangeLine(line);
  return {
    name: `changes.${index}`,
    label: word === 'looser' ? 'Looser' : 'Tighter',
    text,
    technical: false,
  };
}

function limitFields(limits: PolicyChangeSubject['limits']): DetailField[] {
  return flattenLimits(limits).map(([key, value]) => ({
    name: `limits.${key}`,
    label: `New limits: ${limitLabel(key)}`,
    text: formatLimit(key, value),
    technical: true,
  }));
}
