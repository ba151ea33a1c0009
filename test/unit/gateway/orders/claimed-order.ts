import Database from 'better-sqlite3-multiple-ciphers';
import { utcSeconds } from '../../../../src/machine/clock.ts';
import { sqliteGatewayStores } from '../../../../src/store/sqlite/gateway-stores.ts';
import { anOrderDraft } from '../../../fixtures/builders.ts';

/** When the order is claimed; its approval ends {@link TTL_MS} later. */
export const START = Date.parse('2026-11-24T15:00:00Z');
export const TTL_MS = 60_000;
export const id = 'ta-00000001';
export const draft = anOrderDraft({
  type: 'market',
  client_order_id: id,
  expires_at: utcSeconds(START + TTL_MS),
});
export const intent = { sub: 'alice', clientOrderId: id, draft };
export const claim = {
  ...intent,
  digest: 'digest',
  approval: { issuer: 'https://issuer.example', jti: 'jti-1' },
};

/** A journal with the order's intent. */
export async function claimedJournal() {
  const journal = sqliteGatewayStores(new Database(':memory:')).orders;
  await journal.claim(claim, START);
  return journal;
}
