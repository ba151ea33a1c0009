import type { z } from 'zod';
import type { PolicyReason } from '../../trading/policy-reasons.ts';
import type { Facts, OrderFacts } from './decision.ts';

/** What is compared with a limit: all that is known, of an order that there is. */
export interface Compared {
  readonly facts: Facts;
  readonly order: OrderFacts;
  /** Whether it is put in place of another. */
  readonly replaces: boolean;
}

/** Beyond the limit: what may be and what would be, where those are amounts or counts, and a sentence. */
export interface Excess {
  readonly text: string;
  readonly limit?: string;
  readonly value?: string | null;
  /** Instead of the row's own. */
  readonly reason?: PolicyReason;
}

/** Nobody could tell what the limit compares, or what was told is too old. */
export type Unknown = 'unavailable' | 'stale';

/** One limit, whole. */
export interface LimitRow<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema;
  readonly reason: PolicyReason;
  /** What of the facts it needs, for the sentence where that is missing. */
  readonly needs: string;
  /** Undefined where the order keeps to it. */
  readonly check: (limit: z.output<Schema>, compared: Compared) => Excess | Unknown | undefined;
  /** What to do, beside having the owner change it; undefined where there is nothing. */
  readonly instead?: string;
}

/** Infers the limit's type from its schema. */
export function limitRow<Schema extends z.ZodType>(row: LimitRow<Schema>): LimitRow<Schema> {
  return row;
}
