import { basename } from 'node:path';
import canonicalize from 'canonicalize';
import { TradeAgentError } from '../../../errors/errors.ts';
import { findClosestMatch } from '../../../text/closest-match.ts';
import { capitalize } from '../../../text/first-letter.ts';
import { hasInvisibleCharacters, invisiblePattern } from '../../../text/invisible.ts';
import type { PolicyReason } from '../../../trading/policy-reasons.ts';
import { bundledCedarTexts } from './bundled-texts.ts';
import type { CedarEngine, CedarIssue } from './cedar-engine.ts';

/**
 * Codes that a rule of the owner, or of the firm that runs the gateway, can set with `@code` (default
 * `POLICY_FORBIDS`). `LIVE_NEEDS_TAP` and `APPROVAL_NEEDS_SECOND` require an additional approval; all other codes are
 * objections. Codes about the broker, a mandate's bounds, or errors in the rules can't be set.
 */
const ruleCodes = [
  'POLICY_FORBIDS',
  'NOTIONAL_EXCEEDS_MAX_PER_ORDER',
  'NOTIONAL_EXCEEDS_MAX_PER_DAY',
  'QUANTITY_EXCEEDS_MAX_PER_ORDER',
  'ORDERS_EXCEED_MAX_PER_DAY',
  'ORDERS_EXCEED_MAX_OPEN',
  'RATE_EXCEEDS_MAX_PER_MINUTE',
  'ORDER_DUPLICATES_RECENT',
  'ORDER_OPPOSES_OPEN',
  'SYMBOL_NOT_ALLOWED',
  'SYMBOL_DENIED',
  'SYMBOL_RESTRICTED',
  'SIDE_NOT_ALLOWED',
  'TYPE_NOT_ALLOWED',
  'HOURS_OUTSIDE_WINDOW',
  'PRICE_DEVIATES_FROM_QUOTE',
  'POSITION_EXCEEDS_MAX_WEIGHT',
  'LOSS_EXCEEDS_MAX_PER_DAY',
  'APPROVAL_NEEDS_SECOND',
  'LIVE_NEEDS_TAP',
] as const satisfies readonly PolicyReason[];

/** The author of a rule: trade-agent (`base`), the owner (`policies/`), or the firm that runs the gateway (`firm/`). */
export type RuleOrigin = 'base' | 'policies' | 'firm';

export interface RuleText {
  readonly origin: RuleOrigin;
  /** File name shown in messages. */
  readonly file: string;
  readonly text: string;
}

export interface CedarRule {
  /** Unique in a gateway: the origin and the rule's `@id`. */
  readonly id: string;
  readonly text: string;
  readonly effect: 'permit' | 'forbid';
  readonly reason: PolicyReason;
  /** The reason shown to people. */
  readonly message: string;
  /** Normalized text. Two rules with the same normalized text forbid the same things for the same reason. */
  readonly form: string;
}

const ANNOTATIONS = ['id', 'code', 'message'];
const MAX_RULE_MESSAGE_LENGTH = 200;
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export function parseBaseRules(engine: CedarEngine): CedarRule[] {
  return parseRules(engine, [{ origin: 'base', file: 'base.cedar', text: bundledCedarTexts.base }]);
}

/**
 * Parses rules and checks them against the schema.
 * @throws {TradeAgentError} `invalid_config` with file, line and column of the first error: a typo, a `permit` outside
 * trade-agent's own rules, a missing or duplicate id, a rule that can never apply, or a word that mixes two scripts
 */
export function parseRules(engine: CedarEngine, texts: readonly RuleText[]): CedarRule[] {
  const places = new Map<string, RulePosition>();
  const rules = texts.flatMap((text) => {
    rejectInvisible(text);
    const parts = engine.split(text.text);
    if ('fault' in parts) throw faultError({ ...text, start: 0 }, parts.fault);
    return parts.policies.map((policy) => {
      const place = { ...text, start: policy.start };
      const rule = readRule(engine, policy.text, place);
      const first = places.get(rule.id);
      if (first !== undefined) {
        throw ruleError(place, `the rule "${nameOf(rule.id)}" already exists, at ${formatPlace(first)}`, {
          hint: 'Give each rule its own @id.',
        });
      }
      places.set(rule.id, place);
      return rule;
    });
  });
  const faults = engine.faults(ruleTextsById(rules)).map((one) => ({ one, place: places.get(one.id ?? '') }));
  faults.sort(
    (a, b) => inOrder(a.place, b.place, texts) || a.one.start - b.one.start || (a.one.message < b.one.message ? -1 : 1),
  );
  const [first] = faults;
  // Counts each error once, because Cedar repeats it for each action.
  const others = new Set(faults.map(({ one }) => `${one.id} ${one.start}`)).size - 1;
  if (first !== undefined) {
    throw faultError(first.place ?? { origin: 'base', file: 'schema', text: '', start: 0 }, first.one, others);
  }
  return rules;
}

export function ruleTextsById(rules: readonly CedarRule[]): Record<string, string> {
  return Object.fromEntries(rules.map(({ id, text }) => [id, text]));
}

/** Rejects invisible characters, so that people see the same rule as Cedar. */
function rejectInvisible(text: RuleText): void {
  const found = invisiblePattern().exec(text.text.replace(/[\n\r\t]/g, ' '));
  if (found === null) return;
  const start = Buffer.byteLength(text.text.slice(0, found.index));
  throw ruleError({ ...text, start }, 'the text contains an invisible character', {
    hint: 'Delete it, and write the line again by hand.',
  });
}

/** A rule file's text, and the byte offset at which one of its rules begins. */
type RulePosition = RuleText & { readonly start: number };

function readRule(engine: CedarEngine, text: string, place: RulePosition): CedarRule {
  const read = engine.read(text);
  if ('fault' in read) throw faultError(place, read.fault);
  const { effect, annotations, body } = read;
  if (effect === 'permit' && place.origin !== 'base') {
    throw ruleError(place, 'a rule here can only forbid, but this rule permits', {
      hint: 'Write a "forbid" rule instead: everything else that limits.yaml and the gateway allow is permitted.',
    });
  }
  const unknown = Object.keys(annotations).find((name) => !ANNOTATIONS.includes(name));
  if (unknown !== undefined) {
    const meant = findClosestMatch(unknown, ANNOTATIONS);
    throw ruleError(place, `a rule can’t have @${unknown}`, {
      hint: meant === undefined ? 'A rule can have @id, @code and @message.' : `Did you mean @${meant}?`,
    });
  }
  const { id, code, message } = annotations;
  if (id === undefined) {
    throw ruleError(place, 'the rule has no @id', {
      hint: 'Write a name above it, such as @id("no-options"). Decisions and the audit log name the rule by it.',
    });
  }
  if (!ID.test(id)) {
    throw ruleError(place, 'the rule’s @id is not a valid name', {
      hint: 'Use up to 64 letters, digits, dots, dashes and underscores.',
    });
  }
  if (
    message !== undefined &&
    (hasInvisibleCharacters(message) || message === '' || message.length > MAX_RULE_MESSAGE_LENGTH)
  ) {
    throw ruleError(place, 'the rule’s @message can’t be displayed', {
      hint: `Use one line of up to ${MAX_RULE_MESSAGE_LENGTH} characters.`,
    });
  }
  const reason = reasonOf(code, place);
  return {
    id: `${place.origin}/${id}`,
    text,
    effect,
    reason,
    message: message ?? `the rule "${id}" of ${place.origin}/${basename(place.file)} forbids it`,
    form: canonicalize({ effect, reason, body }) ?? '',
  };
}

function reasonOf(code: string | undefined, place: RulePosition): PolicyReason {
  if (code === undefined) return 'POLICY_FORBIDS';
  // Not checked here, because a test checks the codes of the program's own rules.
  if (place.origin === 'base') return code as PolicyReason;
  const known = ruleCodes.find((one) => one === code);
  if (known !== undefined) return known;
  const meant = findClosestMatch(code, ruleCodes);
  throw ruleError(place, 'the rule’s @code is not one that a rule can set', {
    hint: meant === undefined ? `Use one of ${ruleCodes.join(', ')}.` : `Did you mean ${meant}?`,
  });
}

function faultError(place: RulePosition, { message, hint, start }: CedarIssue, more = 0): TradeAgentError {
  const others = more === 0 ? '' : ` (and ${more} more)`;
  return ruleError({ ...place, start: place.start + start }, `${message}${others}`, {
    ...(hint === undefined ? {} : { hint: capitalize(hint) }),
  });
}

function ruleError(place: RulePosition, message: string, options: { readonly hint?: string }): TradeAgentError {
  const details = { file: place.file, ...lineAndColumn(place) };
  return new TradeAgentError('invalid_config', `${formatPlace(place)}: ${message}`, { ...options, details });
}

function formatPlace(place: RulePosition): string {
  const { line, column } = lineAndColumn(place);
  return `${place.file}:${line}:${column}`;
}

/** Returns line and column, counted from 1. Columns are counted in characters. */
function lineAndColumn({ text, start }: RulePosition): { line: number; column: number } {
  const before = Buffer.from(text).subarray(0, start).toString().split('\n');
  return { line: before.length, column: [...(before.at(-1) ?? '')].length + 1 };
}

function inOrder(a: RulePosition | undefined, b: RulePosition | undefined, texts: readonly RuleText[]): number {
  const at = (place: RulePosition | undefined) => texts.findIndex(({ file }) => file === place?.file);
  return at(a) - at(b) || (a?.start ?? 0) - (b?.start ?? 0);
}

function nameOf(id: string): string {
  return id.slice(id.indexOf('/') + 1);
}
