import { createHash, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { ProposalRequestInput, ProposalState } from '../../src/trading/proposal.ts';
import { Life } from './life.ts';
import { GATEWAY_HEADER } from './network.ts';
import type { ProgramKey, World } from './world.ts';

export interface Identity {
  readonly sub: 'alice' | 'bob';
  readonly clientId: 'trade-agent' | 'mcp-client';
  readonly machine: number;
}

/** Three agents of alice's (one from another vendor, one on another machine for mandates) and one of bob's. */
export const identities: readonly [Identity, ...Identity[]] = [
  { sub: 'alice', clientId: 'trade-agent', machine: 0 },
  { sub: 'alice', clientId: 'trade-agent', machine: 0 },
  { sub: 'alice', clientId: 'mcp-client', machine: 1 },
  { sub: 'bob', clientId: 'trade-agent', machine: 2 },
  { sub: 'alice', clientId: 'trade-agent', machine: 3 },
];

export type Told =
  | { readonly what: 'asked'; readonly who: Identity; readonly key: string; readonly body: string }
  | {
      readonly what: 'proposed';
      readonly who: Identity;
      readonly key: string;
      readonly body: string;
      readonly status: number;
      readonly code: string | undefined;
      readonly id: string | undefined;
    }
  | {
      readonly what: 'seen';
      readonly id: string;
      readonly state: ProposalState;
      readonly version: number;
      /** Counts the requests of the world: when it was asked, and when it was answered. */
      readonly begun: number;
      readonly ended: number;
    }
  | {
      readonly what: 'withdrawn';
      readonly id: string;
      readonly status: number | undefined;
      readonly begunAt: number;
      readonly endedAt: number;
    }
  /** What the gateway says that a mandate is used for, with nothing open any more. */
  | { readonly what: 'used'; readonly mandate: string; readonly orders: number }
  | { readonly what: 'halted'; readonly sub: string; readonly at: number }
  | {
      readonly what: 'ended';
      readonly mandate: string;
      readonly to: 'suspended' | 'revoked';
      readonly ended: number;
      readonly at: number;
    };

interface View {
  readonly id: string;
  readonly state: ProposalState;
  readonly updated_at: string;
  readonly code: string;
}

const AGAIN_MS = [1_000, 2_000, 4_000] as const;
const OVER: readonly ProposalState[] = ['executed', 'denied', 'expired', 'cancelled', 'blocked'];

/** How long a token is used: it is good for five minutes. */
const TOKEN_MS = 120_000;

let count = 0;

/** One process that proposes over HTTP, retries under the same key, long-polls, withdraws, halts and dies. */
export class Client {
  readonly life: Life;
  readonly who: Identity;
  readonly #world: World;
  readonly #fetch: typeof fetch;
  #kept: { readonly token: Promise<string>; readonly until: number } | undefined;

  constructor(world: World, who: Identity) {
    this.who = who;
    this.#world = world;
    this.life = new Life(`client ${++count}`, world.activity);
    this.#fetch = world.network.fetchFor(this.life, world.clock, () => 'agent-gateway');
  }

  /** Proposes, and watches to the end where `watch` says so. Never rejects. */
  async propose(key: string, request: ProposalRequestInput, watch: boolean, gateway = 0): Promise<void> {
    const { told } = this.#world;
    const body = JSON.stringify(request);
    told.push({ what: 'asked', who: this.who, key, body });
    for (const wait of [...AGAIN_MS, undefined]) {
      const answer = await this.#send('POST', '/v1/proposals', {
        ...{ body, gateway },
        headers: { 'idempotency-key': key },
      });
      if (answer !== undefined && answer.status < 500) {
        const { id, code } = answer.body as { id?: string; code?: string };
        const ok = answer.status < 300;
        told.push({
          what: 'proposed',
          who: this.who,
          key,
          body,
          status: answer.status,
          code: ok ? undefined : code,
          id: ok ? id : undefined,
        });
        if (ok && id !== undefined && watch) await this.watch(id);
        return;
      }
      if (wait === undefined) return;
      await this.#sleep(wait);
    }
  }

  /** Long polls until it is over, or the gateway is out of reach for long. */
  async watch(id: string): Promise<void> {
    let since = '';
    for (let failures = 0; failures < 5; ) {
      const view = await this.look(id, `?wait=25${since === '' ? '' : `&since=${encodeURIComponent(since)}`}`);
      if (view === undefined) {
        failures += 1;
        await this.#sleep(5_000);
        continue;
      }
      failures = 0;
      since = view.updated_at;
      if (OVER.includes(view.state)) return;
    }
  }

  async look(id: string, query = ''): Promise<View | undefined> {
    const { told, network } = this.#world;
    const begun = network.count;
    const answer = await this.#send('GET', `/v1/proposals/${id}${query}`);
    if (answer?.status !== 200) return undefined;
    const view = answer.body as unknown as View;
    const version = Number(view.updated_at.split('#')[1]);
    told.push({ what: 'seen', id, state: view.state, version, begun, ended: network.count });
    return view;
  }

  async withdraw(id: string): Promise<void> {
    const { told, clock } = this.#world;
    const begunAt = clock.now();
    // Noted before too: a request whose answer is lost may have taken effect.
    told.push({ what: 'withdrawn', id, status: undefined, begunAt, endedAt: begunAt });
    const answer = await this.#send('DELETE', `/v1/proposals/${id}`);
    told.push({ what: 'withdrawn', id, status: answer?.status, begunAt, endedAt: clock.now() });
  }

  async halt(gateway = 0): Promise<void> {
    const { told, clock } = this.#world;
    const answer = await this.#send('PUT', '/v1/halt', { body: '{}', gateway });
    if (answer?.status === 200) told.push({ what: 'halted', sub: this.who.sub, at: clock.now() });
  }

  async endMandate(id: string, to: 'suspended' | 'revoked', gateway = 0): Promise<void> {
    const { told, network, clock } = this.#world;
    const [method, path] = to === 'revoked' ? (['DELETE', ''] as const) : (['PUT', '/suspension'] as const);
    const answer = await this.#send(method, `/v1/mandates/${id}${path}`, { gateway });
    if (answer?.status !== 200) return;
    told.push({ what: 'ended', mandate: id, to, ended: network.count, at: clock.now() });
  }

  async askUse(mandate: string): Promise<void> {
    const answer = await this.#send('GET', `/v1/mandates/${mandate}`);
    const { used } = (answer?.body ?? {}) as { used?: { orders: number } };
    if (used !== undefined) this.#world.told.push({ what: 'used', mandate, orders: used.orders });
  }

  /** Asks what would be decided about an order: the gateway then looks what became of those it is in doubt about. */
  async check(order: object): Promise<boolean> {
    const body = JSON.stringify({ order });
    return (await this.#send('POST', '/v1/policy/check', { body }))?.status === 200;
  }

  #sleep(ms: number): Promise<void> {
    return this.life.outside(() => this.#world.clock.sleep(ms));
  }

  /** By a bearer token; where there are mandates by one that is bound to the program's key (RFC 9449). */
  async #authorization(method: string, url: string, gateway: number): Promise<Record<string, string>> {
    const { options, programs, machine, gateways } = this.#world;
    const { sub, clientId } = this.who;
    const claims = { sub, client_id: clientId };
    const key = options.mandates === undefined ? undefined : programs[this.who.machine];
    if (key === undefined) {
      return { authorization: `Bearer ${await this.#token({ ...claims, scope: SCOPES })}` };
    }
    const scope = clientId === 'trade-agent' ? `${SCOPES} orders:mandate` : SCOPES;
    const token = await this.#token({ ...claims, scope, cnf: { jkt: key.jkt } });
    return {
      authorization: `DPoP ${token}`,
      dpop: await proofOf(key, { method, url, token, now: machine(gateway % gateways()).now() }),
    };
  }

  #token(claims: Record<string, unknown>): Promise<string> {
    const { provider, clock } = this.#world;
    if (this.#kept === undefined || clock.now() > this.#kept.until)
      this.#kept = { token: provider.accessToken(claims), until: clock.now() + TOKEN_MS };
    return this.#kept.token;
  }

  async #send(
    method: string,
    path: string,
    { body, headers = {}, gateway = 0 }: Sending = {},
  ): Promise<{ readonly status: number; readonly body: Record<string, unknown> } | undefined> {
    const { url } = this.#world;
    try {
      const response = await this.#fetch(`${url}${path}`, {
        method,
        headers: {
          ...(await this.#authorization(method, `${url}${path}`, gateway)),
          'content-type': 'application/json',
          [GATEWAY_HEADER]: String(gateway),
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
      });
      const text = await response.text();
      return { status: response.status, body: JSON.parse(text) as Record<string, unknown> };
    } catch {
      return undefined;
    }
  }
}

interface Sending {
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly gateway?: number;
}

const SCOPES = 'orders:read orders:propose orders:cancel portfolio:read market:read';

/** RFC 9449 §4.2. */
async function proofOf(
  { privateKey, jwk }: ProgramKey,
  { method, url, token, now }: { method: string; url: string; token: string; now: number },
): Promise<string> {
  return await new SignJWT({
    jti: randomUUID(),
    htm: method,
    htu: url.split('?')[0],
    ath: createHash('sha256').update(token).digest('base64url'),
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
    .setIssuedAt(Math.floor(now / 1000))
    .sign(privateKey);
}
