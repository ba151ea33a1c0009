import type * as CedarWasm from '@cedar-policy/cedar-wasm/nodejs';
import { bundledCedarTexts } from './bundled-texts.ts';

export type CedarRequest = Pick<
  CedarWasm.StatefulAuthorizationCall,
  'principal' | 'action' | 'resource' | 'context' | 'entities'
>;

export type CedarValue = CedarWasm.CedarValueJson;

/** An error in a policy's text. `start` is an offset in UTF-8 bytes, as in Cedar. */
export interface CedarIssue {
  /** The policy's id; undefined if the text could not be split into policies. */
  readonly id?: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly start: number;
}

interface ReadPolicy {
  readonly effect: 'permit' | 'forbid';
  readonly annotations: Readonly<Record<string, string>>;
  /** The policy's scope and conditions, as Cedar's JSON. */
  readonly body: unknown;
}

export type CedarDecision =
  | {
      readonly decided: true;
      readonly allowed: boolean;
      readonly by: readonly string[];
      /** IDs of policies that could not be evaluated. Cedar skips them, so its decision can't be relied on. */
      readonly failed: readonly string[];
    }
  | { readonly decided: false };

/** A set of policies. Sets with the same `name` contain the same policies. */
interface CedarSet {
  readonly name: string;
  readonly policies: Readonly<Record<string, string>>;
}

/**
 * Cedar's synchronous evaluator. Decisions don't contain the text of evaluation errors, because it can quote an order's
 * facts. Errors in a policy's text are reported in full.
 */
export interface CedarEngine {
  /** Splits a text into its policies, in order, each with the byte offset at which it begins. */
  split(
    text: string,
  ): { readonly policies: readonly { text: string; start: number }[] } | { readonly fault: CedarIssue };
  read(policy: string): ReadPolicy | { readonly fault: CedarIssue };
  /** Returns the validator's errors and warnings. A warning that a rule can never apply counts as an error. */
  faults(policies: Readonly<Record<string, string>>): CedarIssue[];
  decide(set: CedarSet, request: CedarRequest): CedarDecision;
}

type Cedar = Omit<typeof CedarWasm, 'default'>;

const SCHEMA = 'trade-agent';

/** Maximum number of cached policy sets: the active set, and a few sets that are being tried out. */
const MAX_CACHED_SETS = 8;

let loaded: Promise<CedarEngine> | undefined;

/** Loads Cedar once. This takes 30 ms, plus 200 ms for the schema. @throws if Cedar's files are missing or can't run */
export function loadCedar(): Promise<CedarEngine> {
  // The module is CommonJS, so in the bundle everything is in `default`.
  loaded ??= import('@cedar-policy/cedar-wasm/nodejs').then(({ default: cedar }) => cedarEngine(cedar));
  return loaded;
}

function cedarEngine(cedar: Cedar): CedarEngine {
  if (cedar.preparseSchema(SCHEMA, bundledCedarTexts.schema).type === 'failure') {
    throw new Error('Cedar rejected its schema');
  }
  const sets = new Set<string>();
  const prepare = ({ name, policies }: CedarSet) => {
    // Moves the set to the end, so that the first set is the least recently used one.
    if (!sets.delete(name)) {
      const answer = cedar.preparsePolicySet(name, { staticPolicies: policies });
      if (answer.type === 'failure') return false;
    }
    sets.add(name);
    const [oldest] = sets;
    if (sets.size > MAX_CACHED_SETS && oldest !== undefined) {
      sets.delete(oldest);
      // Cedar can't remove a set, so it is replaced with an empty set, which takes no memory and permits nothing.
      cedar.preparsePolicySet(oldest, { staticPolicies: {} });
    }
    return true;
  };
  return {
    split: (text) => split(cedar, text),
    read(policy) {
      const answer = cedar.policyToJson(policy);
      if (answer.type === 'failure') return { fault: faultOf(answer.errors[0]) };
      const { effect, annotations = {}, ...body } = answer.json;
      return { effect, annotations, body };
    },
    faults: (policies) => faults(cedar, policies),
    decide(set, request) {
      if (!prepare(set)) return { decided: false };
      const answer = cedar.statefulIsAuthorized({
        ...request,
        preparsedSchemaName: SCHEMA,
        preparsedPolicySetId: set.name,
        validateRequest: true,
      });
      if (answer.type === 'failure') return { decided: false };
      const { decision, diagnostics } = answer.response;
      const failed = diagnostics.errors.map(({ policyId }) => policyId).sort();
      return { decided: true, allowed: decision === 'allow', by: diagnostics.reason, failed };
    },
  };
}

function faults(cedar: Cedar, policies: Readonly<Record<string, string>>): CedarIssue[] {
  const answer = cedar.validate({
    schema: bundledCedarTexts.schema,
    policies: { staticPolicies: policies },
    validationSettings: { mode: 'strict' },
  });
  if (answer.type === 'failure') return answer.errors.map(faultOf);
  const { validationErrors, validationWarnings } = answer;
  // Leaves out the warning that a policy can never apply if the policy also has an error, which is more helpful.
  const wrong = new Set(validationErrors.map(({ policyId }) => policyId));
  const warnings = validationWarnings.filter(({ policyId }) => !wrong.has(policyId));
  return [...validationErrors, ...warnings].map(({ policyId, error }) => ({
    ...faultOf({ ...error, message: error.message.replace(`for policy \`${policyId}\`, `, '') }),
    id: policyId,
  }));
}

function faultOf(error: CedarWasm.DetailedError | undefined): CedarIssue {
  const [place] = error?.sourceLocations ?? [];
  const expected = place?.label ?? undefined;
  return {
    message: error?.message ?? 'the rule can’t be parsed',
    hint: error?.help ?? expected,
    start: place?.start ?? 0,
  };
}

function split(cedar: Cedar, text: string): ReturnType<CedarEngine['split']> {
  const bare = withoutComments(text);
  const answer = cedar.policySetTextToParts(bare);
  if (answer.type === 'failure') return { fault: faultOf(answer.errors[0]) };
  const [template] = answer.policy_templates;
  if (template !== undefined) {
    const start = Buffer.byteLength(bare.slice(0, bare.indexOf(template)));
    const hint = 'Name a principal and a resource, or leave them open.';
    return { fault: { message: 'templates are not supported', hint, start } };
  }
  // Restores the order of the policies, because Cedar names them policy0, policy1, … and sorts them by these names.
  const order = answer.policies.map((_, index) => index).sort((a, b) => (`${a}` < `${b}` ? -1 : 1));
  const texts = answer.policies.map((text, index) => ({ text, at: order[index] ?? index }));
  let from = 0;
  const policies = texts
    .sort((a, b) => a.at - b.at)
    .map(({ text: policy }) => {
      const at = bare.indexOf(policy, from);
      from = at + policy.length;
      return { text: policy, start: Buffer.byteLength(bare.slice(0, at)) };
    });
  return { policies };
}

/** Replaces comments with spaces, so that no comment looks like a policy and byte offsets stay the same. */
function withoutComments(text: string): string {
  return text.replace(/"(?:\\[\s\S]|[^"\\])*"|\/\/[^\n\r]*/g, (found) =>
    found.startsWith('"') ? found : ' '.repeat(Buffer.byteLength(found)),
  );
}
