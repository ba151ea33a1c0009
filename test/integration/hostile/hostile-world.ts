import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { type CryptoKey, decodeJwt, importJWK, type JWK, SignJWT } from 'jose';
import { deriveSoftwareKey } from '../../../src/approval/signature/software-key.ts';
import { formatUtcSeconds } from '../../../src/machine/clock.ts';
import { SCOPES } from '../../../src/oauth/scopes.ts';
import { buildTradeOrderDetails } from '../../../src/trading/approval-details.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import { knowRecipients } from '../../fixtures/known-recipients.ts';
import type { Person } from '../approval/world.ts';
import { dpopKey } from '../gateway/support/dpop-key.ts';
import type { MintOptions } from '../gateway/support/test-issuer.ts';
import { type Parties, startParties } from '../home/companies/assertion-variants.ts';
import { type McpWorld, startMcpWorld } from '../mcp/mcp-world.ts';
import { KNOWN_RECIPIENT } from './rows/messages.ts';

type DpopKey = Awaited<ReturnType<typeof dpopKey>>;

/** A request of an attacker's. What is left out is as it should be. */
export interface Attempt {
  readonly mint?: MintOptions;
  /** Instead of a token that is minted. */
  readonly token?: string;
  readonly scheme?: string;
  /** Undefined: sound. */
  readonly proof?: (world: HostileWorld, target: ProofTarget) => Promise<string | undefined>;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}
export interface ProofTarget {
  readonly method: string;
  readonly url: string;
  readonly token: string;
  readonly at: number;
}

/** A sandbox home, and an attacker with the provider's signing key, so that each token has just one fault. */
export interface HostileWorld {
  readonly world: McpWorld;
  readonly gateway: string;
  readonly alice: Person;
  readonly bob: Person;
  /** Ids of tokens of Alice's that are live. */
  readonly jtis: readonly string[];
  /** What the attacker's tokens are bound to. */
  readonly key: DpopKey;
  /** Two companies that the home knows, and their clients. */
  readonly parties: Parties;
  /** The number of Alice's account. */
  readonly account: string;
  mint(options?: MintOptions): Promise<string>;
  send(method: string, path: string, attempt?: Attempt): Promise<Response>;
  draft(changes?: Partial<OrderDraft>): OrderDraft;
  /** What the provider puts into a token where Alice approved this order with her phone's key. */
  approval(draft: OrderDraft): Record<string, unknown>;
  /** Lines of the gateway's record. */
  record(): Record<string, unknown>[];
  /** Orders that the gateway has sent. */
  placed(): { readonly client_order_id: string }[];
  close(): Promise<void>;
}

export async function startHostileWorld(): Promise<HostileWorld> {
  const quota = { open: 60, hour: 5_000 };
  const { parties, companies, close } = await startParties();
  const world = await startMcpWorld({ companies, holdMs: 50, quotas: { own: quota, other: quota } });
  const { gateway, issuer } = world.sandbox.ready;
  knowRecipients(world.sandbox.ready.home, KNOWN_RECIPIENT);
  const [alice, bob, key] = await Promise.all([world.as('alice'), world.as('bob'), dpopKey()]);
  const stolen = await signingKey(join(world.folder, 'sandbox', 'identity-provider.db'));
  const jtis: string[] = [];
  for (let i = 0; i < 4; i++) {
    const token = await world.token('helper-bot', 'alice', { resource: gateway, scopes: ['orders:read'] });
    jtis.push(String(decodeJwt(token).jti));
  }
  const { body } = await alice.send('GET', '/v1/account');
  const account = String(body.account);
  const quoted = await alice.send('GET', '/v1/quotes?symbols=KO');
  const price = String((quoted.body.quotes as { ask: string }[])[0]?.ask);
  const approver = deriveSoftwareKey(world.sandbox.pairingSecret, 'alice');

  const self: HostileWorld = {
    world,
    ...{ gateway, alice, bob, jtis, key, account, parties },
    async mint({ claims = {}, header = {}, key: other } = {}) {
      const now = Math.floor(Date.now() / 1000);
      const all: Record<string, unknown> = {
        ...{ iss: issuer, aud: gateway, sub: 'alice', client_id: 'trade-agent', jti: jtis[0] },
        ...{ iat: now, exp: now + 300, scope: SCOPES.join(' '), cnf: { jkt: key.jkt } },
        ...claims,
      };
      for (const [name, value] of Object.entries(all)) if (value === undefined) delete all[name];
      return await new SignJWT(all)
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: stolen.kid, ...header })
        .sign(other ?? stolen.key);
    },
    async send(method, path, { mint, token: given, scheme = 'DPoP', proof, headers = {}, body } = {}) {
      const token = given ?? (await self.mint(mint));
      const url = `${gateway}${path}`;
      const target = { method, url: url.replace(/\?.*$/, ''), token, at: Date.now() };
      const dpop = await (proof === undefined ? key.proof(target) : proof(self, target));
      return await fetch(url, {
        method,
        headers: {
          ...(scheme === '' ? {} : { authorization: `${scheme} ${token}` }),
          ...(dpop === undefined ? {} : { dpop }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: body as NonNullable<RequestInit['body']> }),
      });
    },
    draft: (changes = {}) => ({
      ...{ account, environment: 'paper', symbol: 'KO', side: 'buy', qty: '5', type: 'limit' },
      ...{ time_in_force: 'day', limit_price: price, extended_hours: false },
      ...{ reference_price: price, max_slippage: '0.05', client_order_id: 'ta-hostile-order' },
      expires_at: formatUtcSeconds(Date.now() + 280_000),
      ...changes,
    }),
    approval(draft) {
      const details = buildTradeOrderDetails(draft, { gateway, code: '7K3M' });
      return {
        scope: 'openid orders:write',
        authorization_details: [details],
        approval_evidence: approver.sign({ ...details }, { origin: new URL(issuer).origin }),
      };
    },
    record: () => world.record(),
    placed: () => world.sandbox.broker.book().filter(({ client_order_id }) => /^ta-/.test(client_order_id)),
    close: async () => {
      await world.close();
      await close();
    },
  };
  return self;
}

/** As a thief of the provider's database has it. */
async function signingKey(file: string): Promise<{ kid: string; key: CryptoKey }> {
  const database = new Database(file, { readonly: true });
  try {
    const row = database
      .prepare<[], { kid: string; jwk: string }>('SELECT * FROM provider_signing_keys ORDER BY signs_from')
      .get();
    if (row === undefined) throw new Error('the provider has no key');
    return { kid: row.kid, key: (await importJWK(JSON.parse(row.jwk) as JWK, 'ES256')) as CryptoKey };
  } finally {
    database.close();
  }
}
