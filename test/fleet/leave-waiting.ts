import { ProposalTransitions } from '../../src/approval/transitions.ts';
import { systemClock } from '../../src/machine/clock.ts';
import { createTokenSeal } from '../../src/secrets/token-seal.ts';
import type { GatewayStores } from '../../src/store/gateway-stores.ts';
import { openPostgresGatewayDatabase, postgresGatewayStores } from '../../src/store/postgres/gateway-database.ts';
import { MAX_STEP_DELAY_MS } from '../../src/store/proposal-queue.ts';
import type { StoredProposal } from '../../src/store/proposal-store.ts';
import { createAuthReqIdSeal } from '../../src/store/rows/auth-req-id.ts';
import { type LoadWorld, SEAL_SECRET } from '../load/world.ts';

/** Proposals per person. */
const EACH = 20;
/** Number of people processed concurrently. */
const LANES = 4;

interface Waiting {
  /** The database's address, and the tenant. */
  readonly where: { readonly address: string; readonly tenant: string };
  readonly provider: LoadWorld['provider'];
  /** The id of a pending proposal, the template. */
  readonly like: string;
  readonly count: number;
}

/**
 * Creates `count` pending proposals like the given one directly in the gateway's store, each with its audit log entries:
 * twenty for each of many people, also at the provider. A gateway's other work for a proposal (reading prices, calling
 * the provider) takes thirty times as long and leaves nothing behind.
 */
export async function leaveWaiting({ where, provider, like: template, count }: Waiting): Promise<void> {
  const opened = await openPostgresGatewayDatabase(where);
  const stores = await postgresGatewayStores(opened, createAuthReqIdSeal(SEAL_SECRET));
  const like = await stores.proposals.get(template);
  if (like?.authReqId === undefined) throw new Error('the template is not pending');
  askAtProvider(provider, like.authReqId, count);
  const moves = new ProposalTransitions(stores.proposals, createTokenSeal(SEAL_SECRET), systemClock);
  const people = Array.from({ length: Math.ceil(count / EACH) }, (_, number) => number).values();
  const lane = async () => {
    for (const person of people) {
      const last = Math.min(count, (person + 1) * EACH);
      for (let n = person * EACH; n < last; n++) await leaveOne(stores, moves, { like, person, n });
    }
  };
  try {
    await Promise.all(Array.from({ length: LANES }, lane));
  } finally {
    await opened.close();
  }
}

async function leaveOne(
  { proposals, queue }: GatewayStores,
  moves: ProposalTransitions,
  { like, person, n }: { readonly like: StoredProposal; readonly person: number; readonly n: number },
): Promise<void> {
  const sub = `person-${person}`;
  const now = Date.now();
  const { epoch } = await proposals.snapshot({ sub, client: like.client, typed: like.typed }, now);
  const draft = { ...like, id: `pr_waits${n}`, sub, subjectId: `ta-waits-${n}`, fingerprint: `f-${n}` };
  const key = { sub, client: like.client, key: `waits-${n}`, request: 'request' };
  const note = { event: 'proposed', facts: { proposal: draft.id, sub } } as const;
  const drafted = await proposals.draft(draft, key, { epoch }, note, now);
  if (drafted.outcome !== 'drafted') throw new Error(`a draft was ${drafted.outcome}`);
  const { interval, expiresAt, asked } = like;
  const question = { authReqId: askedAs(n), interval, expiresAt, asked };
  const { outcome } = await moves.move(drafted.proposal, 'requested', question);
  if (outcome !== 'moved') throw new Error(`a proposal that was drafted is ${outcome}`);
  // As if it had waited for ten minutes: the polls that make up for lost pings are then ten minutes apart.
  await queue.claim(draft.id, false);
  await queue.release(draft.id, Math.ceil(Math.random() * MAX_STEP_DELAY_MS), now);
}

const askedAs = (n: number) => `waits-${n}`;

function askAtProvider(provider: LoadWorld['provider'], asked: string, count: number): void {
  const known = provider
    .prepare<[string], { payload: string }>(
      `SELECT * FROM oidc_entities WHERE model = 'BackchannelAuthenticationRequest' AND id = ?`,
    )
    .get(asked);
  if (known === undefined) throw new Error('the provider does not know the template');
  const columns = Object.keys(known);
  const insert = provider.prepare(
    `INSERT INTO oidc_entities (${columns}) VALUES (${columns.map((name) => `@${name}`)})`,
  );
  provider.transaction(() => {
    for (let n = 0; n < count; n++)
      insert.run({ ...known, id: askedAs(n), payload: known.payload.replaceAll(asked, askedAs(n)) });
  })();
}
