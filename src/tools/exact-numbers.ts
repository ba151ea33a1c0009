import type { z } from 'zod';
import { type ErrorCode, TradeAgentError } from '../errors/errors.ts';
import { Dec, isDecimalString } from '../trading/decimal.ts';

/** Number of significant digits that a conversion to a double always preserves (IEEE 754, DBL_DIG). */
const EXACT_DIGITS = 15;

/** Returns a number's text or, if parsing may have changed its digits, a string that no decimal schema accepts. */
export function toDecimalText(value: number): string {
  const exact = Number.isFinite(value) ? new Dec(String(value)) : undefined;
  const text = exact?.toFixed() ?? '';
  const isCarried = exact !== undefined && exact.precision() <= EXACT_DIGITS && isDecimalString(text);
  return isCarried ? text : `${value} (not a plain decimal)`;
}

/** Parses arguments. Accepts JSON numbers instead of decimal strings, because many clients send numbers. */
export function parseArguments<Schema extends z.ZodType>(
  schema: Schema,
  args: unknown,
): z.ZodSafeParseResult<z.output<Schema>> {
  const parsed = schema.safeParse(args);
  const paths = (parsed.error?.issues ?? [])
    .filter((issue) => issue.code === 'invalid_type' && issue.expected === 'string')
    .map(({ path }) => path);
  if (paths.length === 0) return parsed;
  const given = structuredClone(args);
  for (const path of paths) replaceNumber(given, path);
  return schema.safeParse(given);
}

function replaceNumber(root: unknown, path: readonly PropertyKey[]): void {
  let holder = root;
  for (const key of path.slice(0, -1)) holder = (holder as Record<PropertyKey, unknown> | undefined)?.[key];
  const last = path.at(-1);
  if (last === undefined || typeof holder !== 'object' || holder === null) return;
  const value = (holder as Record<PropertyKey, unknown>)[last];
  if (typeof value === 'number') (holder as Record<PropertyKey, unknown>)[last] = toDecimalText(value);
}

/** Parses the arguments for an order, a change or a message. @throws {TradeAgentError} naming the field */
export function parseProposalArguments<Schema extends z.ZodType>(
  subject: 'order' | 'change' | 'message',
  schema: Schema,
  args: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(args);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  const code: ErrorCode = subject === 'message' ? 'invalid_message' : 'invalid_order';
  throw new TradeAgentError(code, `${field || `the ${subject} is invalid`}: ${issue?.message}`, {
    hint: `Correct the ${subject} and ask again.`,
    details: { field },
  });
}

/** Removes the arguments that a model left empty, and converts numbers to decimal strings. */
export function normalizeArguments(args: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(args)
      .filter(([, value]) => value !== null && value !== '')
      .map(([field, value]) => [field, typeof value === 'number' ? toDecimalText(value) : value]),
  );
}
