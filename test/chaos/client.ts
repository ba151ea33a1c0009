import type { ProposalRequestInput, ProposalState } from '../../src/trading/proposal.ts';
import { Life } from './life.ts';
import type { World } from './world.ts';

/** Who proposes: a person, by a client. */
export interface Identity {
  readonly sub: 'alice' | 'bob';
  readonly clientId: 'trade-agent' | 'mcp-client';
}

/** Two agents of alice's, one of somebody else's making, and one of bob's. */
export const identities: readonly [Identity, ...Identity[]] = [
  { sub: 'alice', clientId: 'trade-agent' },
  { sub: 'alice', clientId: 'trade-agent' },
  { sub: 'alice', clientId: 'mcp-client' },
  { sub: 'bob', clientId: 'trade-agent' },
];

/** What a client asked the gateway, and what it was answered, in order of the answers. */
export type Told =
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
  | { readonly what: 'withdrawn'; readonly id: string; readonly status: number | undefined };

interface View {
  readonly id: string;
  readonly state: ProposalState;
  readonly updated_at: string;
  readonly code: string;
}

/** Milliseconds between the tries of one that gets no answer. */
const AGAIN_MS = [1_000, 2_000, 4_000] as const;
const OVER: readonly ProposalState[] = ['executed', 'denied', 'expired', 'cancelled', 'blocked'];

let count = 0;

/**
 * One process that proposes over HTTP: it repeats what got no answer under the same key, watches by long poll, takes
 * back, halts, and dies. It holds nothing that an order needs.
 */
export class Client {
  readonly life: Life;
  readonly who: Identity;
  readonly #world: World;
  readonly #fetch: typeof fetch;

  constructor(world: World, who: Identity) {
    this.who = who;
    this.#world = world;
    this.life = new Life(`client ${++count}`, world.activity);
    this.#fetch = world.network.fetchFor(
      this.life,
      () => world.clock.now(),
      () => 'agent-gateway',
    );
  }

  /** Proposes, and watches to the end where `watch` says so. Never rejects. */
  async propose(key: string, request: ProposalRequestInput, watch: boolean): Promise<void> {
    const { told } = this.#world;
    const body = JSON.stringify(request);
    for (const wait of [...AGAIN_MS, undefined]) {
      const answer = await this.#send('POST', '/v1/proposals', body, { 'idempotency-key': key });
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
      const view = await this.look(
        id,
        `?wait=25${since === '' ? '' : `&since=${encodeURIComponent(since)}`}`,
      );
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
    const { told } = this.#world;
    // Noted before too: a request whose answer is lost may have taken effect.
    told.push({ what: 'withdrawn', id, status: undefined });
    const answer = await this.#send('DELETE', `/v1/proposals/${id}`);
    told.push({ what: 'withdrawn', id, status: answer?.status });
  }

  async halt(): Promise<void> {
    await this.#send('PUT', '/v1/halt', '{}');
  }

  #sleep(ms: number): Promise<void> {
    return this.life.outside(() => this.#world.clock.sleep(ms));
  }

  /** Undefined where there was no answer. */
  async #send(
    method: string,
    path: string,
    body?: string,
    headers: Record<string, string> = {},
  ): Promise<{ readonly status: number; readonly body: Record<string, unknown> } | undefined> {
    const { provider, url } = this.#world;
    const { sub, clientId } = this.who;
    const token = await provider.accessToken({ sub, client_id: clientId, scope: SCOPES });
    try {
      const response = await this.#fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body }),
      });
      const text = await response.text();
      return { status: response.status, body: JSON.parse(text) as Record<string, unknown> };
    } catch {
      return undefined;
    }
  }
}

const SCOPES = 'orders:read orders:propose orders:cancel portfolio:read market:read';
