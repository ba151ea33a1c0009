import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import Database from 'better-sqlite3-multiple-ciphers';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { defaultQuotas, type Quotas } from '../../../src/approval/kernel/quotas.ts';
import { ApprovalKeys } from '../../../src/approval/keys/approval-keys.ts';
import { createGateway, type Gateway } from '../../../src/gateway/gateway.ts';
import type { GatewayOptions } from '../../../src/gateway/gateway-options.ts';
import { type Clock, systemClock } from '../../../src/machine/clock.ts';
import { type HttpServer, listenOnLoopback } from '../../../src/net/http-server.ts';
import type { GatewayStores } from '../../../src/store/gateway-stores.ts';
import { createAuthReqIdSeal } from '../../../src/store/rows/auth-req-id.ts';
import { createSqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import { isSettledState, type ProposalState } from '../../../src/trading/proposal.ts';
import { startAlpacaStandIn } from '../gateway/support/alpaca-stand-in.ts';
import { dpopKey } from '../gateway/support/dpop-key.ts';
import { startTestIssuer } from '../gateway/support/test-issuer.ts';
import type { Answer } from './world.ts';

type DpopKey = Awaited<ReturnType<typeof dpopKey>>;

export interface Agent {
  /** @param url another gateway's */
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>, url?: string): Promise<Answer>;
  propose(body: unknown, key: string): Promise<Answer>;
  /** Proposes something new. @returns its id, and what the owner is asked */
  proposed(body: unknown): Promise<{ id: string; details: Readonly<Record<string, unknown>> }>;
  /** The proposal once it is settled. */
  ended(id: string): Promise<Record<string, unknown>>;
}

const SCOPE = 'orders:read orders:propose orders:cancel messages:propose';

export type ForeignWorld = Awaited<ReturnType<typeof startForeignWorld>>;

/** A gateway over an issuer that gives tokens to any client: what the sandbox's own provider does not. */
export async function startForeignWorld(
  options: Pick<GatewayOptions, 'fetch' | 'isRevoked' | 'rules' | 'rates' | 'log' | 'onError' | 'onProposal'> & {
    readonly signature?: 'required' | 'off';
    readonly quotas?: Quotas;
    /** Instead of a database in memory. */
    readonly stores?: GatewayStores;
    /** The gateway's pauses. */
    readonly sleep?: Clock['sleep'];
  } = {},
) {
  const { signature = 'off', quotas = defaultQuotas, stores: given, sleep, ...rules } = options;
  let offset = 0;
  const clock = {
    now: () => Date.now() + offset,
    monotonic: () => Date.now() + offset,
    sleep: sleep ?? systemClock.sleep,
    advance: (ms: number) => {
      offset += ms;
    },
    slept: [] as number[],
  };
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-foreign-'));
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  const key: JWK = { ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig' };
  const server = await listenOnLoopback(0, () => 0);
  const issuer = await startTestIssuer({
    clock,
    audience: () => server.url,
    gatewayClient: { client_id: 'gateway-client', jwk },
  });
  const broker = await startAlpacaStandIn();
  for (const [token, user] of broker.tokens) issuer.connected.set(user, token);
  const database = new Database(':memory:');
  const stores = given ?? createSqliteGatewayStores(database, createAuthReqIdSeal('of the gateway'));
  const keys = new ApprovalKeys({
    store: stores.keys,
    gateway: server.url,
    rpId: new URL(server.url).hostname,
    origin: server.url,
    rpName: 'trade-agent',
    clock,
    softwareKeys: true,
  });
  const gatewayOver = (itsStores: GatewayStores, its: Pick<GatewayOptions, 'rules'> = {}) =>
    createGateway({
      issuer: issuer.url,
      resource: server.url,
      exchange: { client_id: 'gateway-client', privateKey: key, audience: 'paper-broker' },
      environment: 'paper',
      brokers: [{ name: 'broker', kind: 'alpaca', trading_url: broker.url, simulated: true }],
      approval: {
        method: 'ciba',
        details: 'rar',
        signature,
        client: { id: 'gateway-client' },
        privateKey: key,
        sealSecret: 'of the gateway',
        delivery: 'ping',
        maxTtl: 3_600,
        quotas,
      },
      ownClients: ['trade-agent'],
      messages: { slack: { audience: 'slack', url: `${broker.url}/slack` } },
      stores: itsStores,
      keys,
      clock,
      ...rules,
      ...its,
    });
  const serve = (at: HttpServer, { app }: Gateway) => {
    const listener = getRequestListener(app.fetch);
    at.serve((request, response) => void listener(request, response));
  };
  const gateway = gatewayOver(stores);
  serve(server, gateway);

  /** Somebody's agent, signed in by a client of its own; our own is `trade-agent`. */
  const agent = (sub: string, client: string, scope = SCOPE, claims = {}, key?: DpopKey): Agent => {
    const self: Agent = {
      async send(method, path, body, headers = {}, to = server.url) {
        const bound = key === undefined ? {} : { cnf: { jkt: key.jkt } };
        const token = await issuer.mint({ claims: { sub, client_id: client, scope, ...bound, ...claims } });
        const url = `${to}${path}`;
        const authorization: Record<string, string> =
          key === undefined
            ? { authorization: `Bearer ${token}` }
            : {
                authorization: `DPoP ${token}`,
                dpop: await key.proof({ method, url, token, at: clock.now() }),
              };
        const response = await fetch(url, {
          method,
          headers: { ...authorization, 'content-type': 'application/json', ...headers },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        const text = await response.text();
        return {
          status: response.status,
          headers: response.headers,
          body: text === '' ? {} : JSON.parse(text),
        };
      },
      async proposed(body) {
        const answer = await self.propose(body, randomUUID());
        if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
        const id = String(answer.body.id);
        const asked = issuer.questions.findLast(({ details }) => details.proposal === id);
        return { id, details: asked?.details ?? {} };
      },
      async ended(id) {
        for (let since = ''; ; ) {
          const query = new URLSearchParams({ wait: '5', since });
          const { body } = await self.send('GET', `/v1/proposals/${id}?${query}`);
          if (isSettledState(body.state as ProposalState)) return body;
          since = String(body.updated_at);
        }
      },
      propose: (body, key) => self.send('POST', '/v1/proposals', body, { 'idempotency-key': key }),
    };
    return self;
  };

  return {
    issuer,
    broker,
    keys,
    database,
    url: server.url,
    /** Moves the gateway's time. */
    advance: clock.advance,
    agent,
    /** Its tokens are bound to a key of its own. */
    boundAgent: async (sub: string, client: string, scope: string) => agent(sub, client, scope, {}, await dpopKey()),
    /**
     * The owner decides, and the provider calls back.
     * @param claims what it puts into the token besides, or instead
     * @param to the gateway that the call reaches
     */
    async decide(proposal: string, decision: 'approve' | 'deny', claims = {}, to: string = server.url) {
      const asked = issuer.questions.findLast(({ details }) => details.proposal === proposal);
      if (asked === undefined) throw new Error(`nobody was asked about ${proposal}`);
      asked.decision = decision;
      asked.claims = claims;
      await fetch(`${to}/ciba/ping`, {
        method: 'POST',
        headers: { authorization: `Bearer ${asked.notificationToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({ auth_req_id: asked.authReqId }),
      });
    },
    /** Starts another gateway beside it, on another machine's connections to the same data. */
    async another(itsStores: GatewayStores, its: Pick<GatewayOptions, 'rules'> = {}) {
      const itsServer = await listenOnLoopback(0, () => 0);
      const another = gatewayOver(itsStores, its);
      serve(itsServer, another);
      return {
        url: itsServer.url,
        close: async () => {
          await another.close();
          await itsServer.close();
        },
      };
    },
    /** What the first gateway does when a client has lost its access. */
    revoked: gateway.revoked,
    /** Ends the first gateway, and nothing else. */
    end: () => gateway.close(),
    async close() {
      await gateway.close();
      await Promise.all([server.close(), issuer.close(), broker.close()]);
      database.close();
      rmSync(folder, { recursive: true });
    },
  };
}
