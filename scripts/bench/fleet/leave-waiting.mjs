// Creates pending proposals directly in the gateway's store, each with its audit log entries. A gateway's other work for a
// proposal (reading prices, calling the provider) takes thirty times as long and leaves nothing behind.
import { ProposalTransitions } from '../../../src/approval/transitions.ts';
import { createTokenSeal } from '../../../src/secrets/token-seal.ts';
import { openPostgresGatewayDatabase, postgresGatewayStores } from '../../../src/store/postgres/gateway-database.ts';
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
      for (let n = person * EACH; n < last; n++) await leaveOne(stores.proposals, moves, { like, person, n });
    }
  };
  // Assigned to a lost gateway, so that no other gateway adopts the first ones before all are created.
  await database.query("INSERT INTO gateways (tenant, name, until) VALUES ('bench', 'lost', 'infinity')");
  await database.query("ALTER TABLE proposals ALTER attendant SET DEFAULT 'lost'");
  try {
    await Promise.all(Array.from({ length: LANES }, lane));
  } finally {
    await opened.close();
  }
  await database.query("ALTER TABLE proposals ALTER attendant SET DEFAULT ''");
  await database.query('ANALYZE');
  await database.query("DELETE FROM gateways WHERE name = 'lost'");
}

async function leaveOne(store, moves, { like, person, n }) {
  const sub = `person-${person}`;
  const now = Date.now();
  const { epoch } = await store.standing({ ...like, sub, fingerprint: undefined }, now);
  const draft = { ...like, id: `pr_waits${n}`, sub, subjectId: `ta-waits-${n}`, fingerprint: `f-${n}` };
  const key = { sub, client: like.client, key: `waits-${n}`, request: 'request' };
  const note = { event: 'proposed', facts: { proposal: draft.id, sub } };
  const { outcome, proposal } = await store.draft(draft, key, { epoch }, note, now);
  if (outcome !== 'drafted') throw new Error(`a draft was ${outcome}`);
  const { interval, expiresAt, asked } = like;
  const question = { authReqId: askedAs(n), interval, expiresAt, asked };
  const { outcome: moved } = await moves.move(proposal, 'requested', question);
  if (moved !== 'moved') throw new Error(`a proposal that was drafted is ${moved}`);
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
