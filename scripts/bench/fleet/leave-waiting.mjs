// Creates pending proposals directly in the gateway's store, each with its audit log entries. A gateway's other work for a
// proposal (reading prices, calling the provider) takes thirty times as long and leaves nothing behind.
import { ProposalTransitions } from '../../../src/approval/transitions.ts';
import { createTokenSeal } from '../../../src/secrets/token-seal.ts';
import { openPostgresGatewayDatabase, postgresGatewayStores } from '../../../src/store/postgres/gateway-database.ts';
import { MAX_STEP_DELAY_MS } from '../../../src/store/proposal-queue.ts';
import { createAuthReqIdSeal } from '../../../src/store/rows/auth-req-id.ts';
import { SEAL_SECRET } from '../../../test/load/world.ts';

/** Proposals per person. */
const EACH = 20;
/** Number of people processed concurrently. */
const LANES = 4;

/**
 * Creates `count` pending proposals like the given one: twenty for each of many people, also at the provider.
 * @param given.proposal alice's pending proposal, the template
 */
export async function leaveWaiting({ database, world, proposal, count }) {
  const opened = await openPostgresGatewayDatabase({ address: database.address, tenant: 'bench' });
  const stores = await postgresGatewayStores(opened, createAuthReqIdSeal(SEAL_SECRET));
  const like = await stores.proposals.get(proposal.id);
  askAtProvider(world.provider, like.authReqId, count);
  const moves = new ProposalTransitions(stores.proposals, createTokenSeal(SEAL_SECRET), { now: Date.now });
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
  await database.query('ANALYZE');
}

async function leaveOne({ proposals, queue }, moves, { like, person, n }) {
  const sub = `person-${person}`;
  const now = Date.now();
  const { epoch } = await proposals.snapshot({ ...like, sub, fingerprint: undefined }, now);
  const draft = { ...like, id: `pr_waits${n}`, sub, subjectId: `ta-waits-${n}`, fingerprint: `f-${n}` };
  const key = { sub, client: like.client, key: `waits-${n}`, request: 'request' };
  const note = { event: 'proposed', facts: { proposal: draft.id, sub } };
  const { outcome, proposal } = await proposals.draft(draft, key, { epoch }, note, now);
  if (outcome !== 'drafted') throw new Error(`a draft was ${outcome}`);
  const { interval, expiresAt, asked } = like;
  const question = { authReqId: askedAs(n), interval, expiresAt, asked };
  const { outcome: moved } = await moves.move(proposal, 'requested', question);
  if (moved !== 'moved') throw new Error(`a proposal that was drafted is ${moved}`);
  // As if it had waited for ten minutes: the polls that make up for lost pings are then ten minutes apart.
  await queue.claim(draft.id, false);
  await queue.release(draft.id, MAX_STEP_DELAY_MS - Math.random() * 60_000, now);
}

const askedAs = (n) => `waits-${n}`;

function askAtProvider(provider, asked, count) {
  const known = provider
    .prepare(`SELECT * FROM oidc_entities WHERE model = 'BackchannelAuthenticationRequest' AND id = ?`)
    .get(asked);
  const columns = Object.keys(known);
  const insert = provider.prepare(
    `INSERT INTO oidc_entities (${columns}) VALUES (${columns.map((name) => `@${name}`)})`,
  );
  provider.transaction(() => {
    for (let n = 0; n < count; n++)
      insert.run({ ...known, id: askedAs(n), payload: known.payload.replaceAll(asked, askedAs(n)) });
  })();
}
