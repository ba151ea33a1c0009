import { expect } from 'vitest';
import { formatUtcSeconds } from '../../../../src/machine/clock.ts';
import type { MandateStore } from '../../../../src/store/mandate-store.ts';
import { type MandateEnvelope, mandateDigest } from '../../../../src/trading/mandate/envelope.ts';
import { ONE_DAY_MS } from '../../../../src/trading/new-york-time.ts';
import { mandateTerms } from '../../sandbox/proposal-fixture.ts';

/** Grants a weekly mandate of alice's for twenty days. @returns its id */
export async function granted(
  mandates: Pick<MandateStore, 'grant'>,
  now: number,
  changes: Partial<MandateEnvelope> & Pick<MandateEnvelope, 'policy'>,
): Promise<string> {
  const { price: _, max_day_notional: __, ...base } = mandateTerms();
  const terms: MandateEnvelope = {
    ...base,
    max_order_notional: '1000.00',
    max_total_notional: '5000.00',
    not_before: formatUtcSeconds(now),
    expires_at: formatUtcSeconds(now + 20 * ONE_DAY_MS),
    ...changes,
  };
  const { mandate_id: id } = terms;
  const approval = { issuer: 'https://issuer.example', jti: `jti-${id}` };
  const whole = { id, sub: 'alice', terms, digest: mandateDigest(terms), approval, client: 'trade-agent' };
  expect(await mandates.grant(whole, now)).toBe('granted');
  return id;
}
