import type Database from 'better-sqlite3-multiple-ciphers';
import type { ProposalKind } from '../trading/proposal.ts';
import type { AuditChain } from './audit-chain.ts';

/** Cancels always pass, and what lifts the halt must. */
export function passesHalt(kind: ProposalKind): boolean {
  return kind === 'cancel' || kind === 'lift';
}

/** Why nothing came of a proposal, where trading is halted. */
export const haltedReason = {
  code: 'policy_denied',
  text: 'trading is halted',
  members: { reason: 'TRADING_HALTED', reasons: ['TRADING_HALTED'] },
} as const;

/** Whose trading is halted. In the gateway's database: it survives everything, and holds for every door. */
export interface Halts {
  /** Milliseconds since the epoch; undefined where trading goes on. */
  haltedAt(sub: string): number | undefined;
  /** Halts, and says whether it was not halted before. */
  halt(sub: string, by: string, now: number): boolean;
  /** Ends a halt; false where there is none, or it is another than was read. */
  lift(sub: string, haltedAt: number): boolean;
}

/** @param database the gateway's, of its latest version */
export function createHalts(database: Database.Database, audit: Pick<AuditChain, 'note'>): Halts {
  const select = database.prepare<[string], { at: number }>(
    'SELECT halted_at AS at FROM halts WHERE sub = ?',
  );
  const insert = database.prepare('INSERT OR IGNORE INTO halts (sub, halted_at, by_client) VALUES (?, ?, ?)');
  const remove = database.prepare('DELETE FROM halts WHERE sub = ? AND halted_at = ?');
  const halt = database.transaction((sub: string, by: string, now: number) => {
    const changed = insert.run(sub, now, by).changes === 1;
    if (changed) audit.note('halted', { sub, client: by });
    return changed;
  });
  const lift = database.transaction((sub: string, haltedAt: number) => {
    const changed = remove.run(sub, haltedAt).changes === 1;
    if (changed) audit.note('lifted', { sub });
    return changed;
  });
  return {
    haltedAt: (sub) => select.get(sub)?.at,
    halt: (sub, by, now) => halt.immediate(sub, by, now),
    lift: (sub, haltedAt) => lift.immediate(sub, haltedAt),
  };
}
