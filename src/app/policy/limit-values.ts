import type { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import { closestMatch } from '../../text/closest-match.ts';
import { limitWords } from '../../trading/limit-words.ts';

type Limits = Readonly<Record<string, unknown>>;

/** What `hours` is made of; the other keys are those that people have words for. */
const hourKeys = ['hours.zone', 'hours.from', 'hours.to', 'hours.days'];
const settable = [...Object.keys(limitWords).filter((key) => key !== 'hours'), ...hourKeys];

/** Takes a limit away: `max_day_loss=none`. */
const NONE = 'none';

/**
 * Limits with these changes, each `KEY=VALUE` with the key dotted where it stands in another. A list is written with
 * commas, and `none` takes a limit away.
 * @param schema says of a value whether it may stand there
 * @throws {TradeAgentError} `usage`, naming the key, and what may stand there
 */
export function changedLimits(limits: Limits, pairs: readonly string[], schema: z.ZodType): Limits {
  let changed = limits;
  for (const pair of pairs) {
    const [, key = '', text = ''] = /^([\w.]+)=(.*)$/s.exec(pair) ?? [];
    if (!settable.includes(key)) throw unknownKey(pair, key);
    changed = text === NONE ? without(changed, key) : withValue(changed, key, text, schema);
  }
  const parsed = schema.safeParse(changed);
  if (parsed.success) return changed;
  const [issue] = parsed.error.issues;
  throw new TradeAgentError(
    'usage',
    `these limits can't stand together: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim(),
    { hint: 'docs/guide/POLICY.md says what each key takes.' },
  );
}

/** A value is text, a number, true or a list: which of them the schema takes decides. */
function withValue(limits: Limits, key: string, text: string, schema: z.ZodType): Limits {
  const list = text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  const forms: unknown[] = [
    text,
    ...(/^\d{1,9}$/.test(text) ? [Number(text)] : []),
    ...(text === 'true' ? [true] : []),
    list,
  ];
  let complaint = '';
  for (const form of forms) {
    const changed = setAt(limits, key.split('.'), form);
    const parsed = schema.safeParse(changed);
    const own = parsed.success ? undefined : parsed.error.issues.find(({ path }) => within(path, key));
    // What another key still lacks may be given by the next pair.
    if (own === undefined) return changed;
    complaint ||= own.message;
  }
  throw new TradeAgentError('usage', `${key} can't be "${text}": ${complaint}`, {
    hint: 'docs/guide/POLICY.md says what each key takes; "none" takes a limit away.',
  });
}

function within(path: readonly PropertyKey[], key: string): boolean {
  return path.map(String).join('.').startsWith(key);
}

function setAt(limits: Limits, [name = '', ...rest]: readonly string[], value: unknown): Limits {
  if (rest.length === 0) return { ...limits, [name]: value };
  return { ...limits, [name]: setAt((limits[name] ?? {}) as Limits, rest, value) };
}

function without(limits: Limits, key: string): Limits {
  const [name = '', inner] = key.split('.');
  const { [name]: value, ...rest } = limits;
  if (inner === undefined || value === undefined) return rest;
  const { [inner]: _, ...left } = value as Limits;
  return Object.keys(left).length === 0 ? rest : { ...rest, [name]: left };
}

function unknownKey(pair: string, key: string): TradeAgentError {
  if (key === '')
    return new TradeAgentError('usage', `"${pair}" sets nothing`, {
      hint: 'Write KEY=VALUE, as in: trade-agent policy set max_order_notional=500.',
    });
  const nearest = closestMatch(key, settable);
  return new TradeAgentError('usage', `there is no limit "${key}"`, {
    hint: `${nearest === undefined ? '' : `Did you mean "${nearest}"? `}The limits are ${settable.join(', ')}.`,
  });
}
