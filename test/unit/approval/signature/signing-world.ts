import { randomBytes } from 'node:crypto';
import Database from 'better-sqlite3-multiple-ciphers';
import { type ProposalDetails, proposalDigest } from '../../../../src/approval/details.ts';
import { ApprovalKeys, type ApprovalKeysOptions } from '../../../../src/approval/keys/approval-keys.ts';
import {
  approvalStatement,
  type Evidence,
  statementChallenge,
  toWebauthnEvidence,
} from '../../../../src/approval/signature/statement.ts';
import { createSqliteGatewayStores } from '../../../../src/store/sqlite/gateway-stores.ts';
import { writtenLines } from '../../../fixtures/record-lines.ts';
import { type Algorithm, type Authenticator, createAuthenticator, type Oddity } from './authenticator.ts';

export const ADDRESS = 'http://localhost:4747';
export const START = Date.parse('2026-11-25T14:30:00Z');

export type SigningWorld = ReturnType<typeof createSigningWorld>;

/** Keys over a store of their own, and what people and their authenticators do. */
export function createSigningWorld(options: Partial<ApprovalKeysOptions> = {}) {
  const database = new Database(':memory:');
  const { keys: store, proofs } = createSqliteGatewayStores(database);
  let now = START;
  const clock = {
    now: () => now,
    pass(ms: number) {
      now += ms;
    },
  };
  const keyOptions: ApprovalKeysOptions = {
    store,
    gateway: ADDRESS,
    rpId: 'localhost',
    origin: ADDRESS,
    rpName: 'trade-agent',
    clock,
    softwareKeys: true,
    challenges: { secret: randomBytes(32), used: proofs },
    ...options,
  };
  const keys = new ApprovalKeys(keyOptions);
  return {
    keys,
    /** The keys as another process of the same home has them. */
    another: new ApprovalKeys(keyOptions),
    store,
    clock,
    /** Lines of the record. */
    lines: () => writtenLines(database),
    /** Enrols an authenticator for a person, by a pairing. */
    async enrol(sub: string, authenticator: Authenticator, name = 'phone') {
      const { secret } = await keys.pair(sub);
      const { challenge } = await keys.creationOptions({ secret });
      return await keys.enroll({ secret }, authenticator.register(challenge), name);
    },
    close: () => void database.close(),
  };
}

/** A proposal's details, as the phone has them. */
export function detailsOf(more: Partial<ProposalDetails> = {}): ProposalDetails {
  const facts = {
    kind: 'order' as const,
    subject: { symbol: 'AAPL', side: 'buy', qty: '5' },
    worst_case: { cash: '909.00', price: '181.80', text: 'Costs at most $909.00.' },
    provenance: null,
    requested_by: null,
    client: 'trade-agent',
  };
  return {
    ...facts,
    type: 'urn:trade-agent:trade-order',
    locations: [ADDRESS],
    actions: ['place'],
    identifier: 'ta-00000001',
    proposal: 'pr_0123456789abcdef',
    code: '7K3M',
    digest: proposalDigest(facts),
    nonce: 'AAAAAAAAAAAAAAAAAAAAAA',
    expires_at: '2026-11-25T14:35:00Z',
    warnings: [],
    shows: {},
    ...more,
  };
}

/** What an authenticator signs of these details, as evidence. */
export function signed(
  authenticator: Authenticator,
  details: Readonly<Record<string, unknown>> = detailsOf(),
  oddity: Oddity = {},
  sub = 'alice',
): Evidence {
  const statement = approvalStatement(details, sub);
  const challenge = statementChallenge(statement).toString('base64url');
  return toWebauthnEvidence(authenticator.assert(challenge, oddity), statement);
}

export function authenticatorOf(algorithm?: Algorithm): Authenticator {
  return createAuthenticator(algorithm, { origin: ADDRESS, rpId: 'localhost' });
}
