import type { Activity } from './activity.ts';
import type { Life } from './life.ts';
import type { SimClock } from './sim-clock.ts';

/** Who talks to whom. */
export const legs = ['agent-gateway', 'provider-gateway', 'gateway-broker', 'gateway-provider'] as const;
export type Leg = (typeof legs)[number];

/**
 * What can become of a request. `refused`: it never left. `lost`: it took effect, its answer did not arrive. `late`: as
 * lost, but it takes effect only up to 14 seconds later. `unavailable`: a 503 in place of the server. `broken`: a 502
 * in place of its answer, after it took effect. `busy`: a 429 in place of the server, which did not look at it.
 */
export const faultKinds = ['refused', 'lost', 'late', 'unavailable', 'broken', 'busy'] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  readonly leg: Leg;
  readonly kind: FaultKind;
  /** Requests on the leg that pass before it strikes. */
  readonly after: number;
  /** Strikes only requests that change something. */
  readonly writesOnly: boolean;
}

/** One request as it went over the wire; the checker's evidence. */
export interface Sent {
  readonly leg: Leg;
  readonly from: Life;
  readonly method: string;
  readonly path: string;
  readonly body: string;
  /** The world's time. */
  readonly at: number;
  /** When whoever sends it had decided to: the world's time, and what `count` was. */
  readonly decided: { readonly at: number; readonly count: number };
  /** The sender's own time. */
  readonly senderAt: number;
  readonly fault: FaultKind | undefined;
  /** Counts the beginnings and ends of all requests of the world. */
  readonly begun: number;
  ended: number;
  status: number | undefined;
  /** As the server gave it, whether or not it arrived. */
  answer: string;
  /** Whether an answer reached the sender. */
  heard: boolean;
  note: Record<string, unknown>;
}

/** One process that answers at the gateway's address. */
interface Answering {
  readonly life: Life;
  readonly answer: (request: Request) => Response | Promise<Response>;
}

/** By which of the gateway's processes a request is to be answered; the first, where it says nothing. */
export const GATEWAY_HEADER = 'x-chaos-gateway';

/** A late request arrives within the longest time the gateway waits for the broker. */
const LATE_MS = 14_000;

export class Network {
  readonly sent: Sent[] = [];
  readonly #armed: { fault: Fault; left: number }[] = [];
  readonly #parted = new Map<Leg, number>();
  readonly #activity: Activity;
  readonly #clock: SimClock;
  /** Beginnings and ends of requests so far. */
  count = 0;
  #late = 0;
  /** Who answers at an address. Nothing goes over a socket: what that takes is not what a history is about. */
  readonly servers = new Map<string, (request: Request) => Response | Promise<Response>>();
  /** The gateway's processes, by their number. */
  readonly gateways: Answering[] = [];

  constructor(activity: Activity, clock: SimClock) {
    this.#activity = activity;
    this.#clock = clock;
  }

  arm(fault: Fault): void {
    this.#armed.push({ fault, left: fault.after });
  }

  /** Cuts a leg for so long: whatever is sent meanwhile does not leave. */
  part(leg: Leg, ms: number): void {
    this.#parted.set(leg, this.#clock.now() + ms);
  }

  heal(): void {
    this.#armed.length = 0;
    this.#parted.clear();
  }

  /** `fetch` for one process. `leg` by address; `before` sees each request as it leaves. */
  fetchFor(
    life: Life,
    now: () => number,
    legOf: (url: URL) => Leg,
    before: (sent: Sent) => Promise<void> = async () => undefined,
  ): typeof fetch {
    return async (input, init) => {
      const leg = legOf(new URL(String(input)));
      const decided = { at: this.#clock.now(), count: this.count };
      const { sent, response } = await life.outside(() =>
        this.#send({ life, now, leg, decided, before }, String(input), init ?? {}),
      );
      // As with a real one: an answer that comes to somebody who no longer waits for it is not heard.
      init?.signal?.throwIfAborted();
      sent.heard = true;
      return response;
    };
  }

  async #send(
    {
      life,
      now,
      leg,
      decided,
      before,
    }: Pick<Sent, 'leg' | 'decided'> & {
      readonly life: Life;
      readonly now: () => number;
      readonly before: (sent: Sent) => Promise<void>;
    },
    url: string,
    init: RequestInit,
  ): Promise<{ sent: Sent; response: Response }> {
    const method = init.method ?? 'GET';
    const { pathname, search } = new URL(url);
    const body = init.body === undefined || init.body === null ? '' : String(init.body);
    const sent: Sent = {
      leg,
      from: life,
      method,
      path: pathname + search,
      body,
      at: this.#clock.now(),
      decided,
      senderAt: now(),
      fault: this.#fault(leg, method, pathname),
      begun: ++this.count,
      ended: Number.POSITIVE_INFINITY,
      status: undefined,
      answer: '',
      heard: false,
      note: {},
    };
    this.sent.push(sent);
    await before(sent);
    try {
      const response = await this.#carry(sent, url, init);
      sent.status = response.status;
      return { sent, response };
    } finally {
      sent.ended = ++this.count;
    }
  }

  async #carry(sent: Sent, url: string, init: RequestInit): Promise<Response> {
    const { fault } = sent;
    const down = toGateway(sent.leg) && this.#gatewayOf(init)?.life.dead !== false;
    if (down || fault === 'refused') throw networkError('ECONNREFUSED');
    if (fault === 'busy') {
      return new Response('{"message":"too many requests."}', {
        status: 429,
        headers: { 'content-type': 'application/json' },
      });
    }
    if (fault === 'unavailable') {
      return new Response('{"error":"temporarily_unavailable"}', {
        status: 503,
        headers: { 'content-type': 'application/json' },
      });
    }
    if (fault === 'late') {
      const { signal: _, ...rest } = init;
      const wait = 1_000 + ((this.#late++ * 4_999) % (LATE_MS - 1_000));
      void this.#clock
        .sleep(wait)
        .then(() => this.#exchange(sent, url, rest))
        .catch(() => undefined);
      throw networkError('ETIMEDOUT');
    }
    const response = await this.#exchange(sent, url, init);
    if (fault === 'lost') throw networkError('ECONNRESET');
    if (fault === 'broken') return new Response('<html>bad gateway</html>', { status: 502 });
    return response;
  }

  /** The request itself. The answer is read whole, so that nothing is under way once this returns. */
  async #exchange(sent: Sent, url: string, init: RequestInit): Promise<Response> {
    const id = `${sent.begun}`;
    this.#activity.begin(id, `${sent.leg} ${sent.method} ${sent.path}`);
    const headers = new Headers(init.headers);
    headers.set('x-chaos-request', id);
    const server = toGateway(sent.leg) ? this.#gatewayOf(init) : undefined;
    const crashed = server?.life.died.then(() => {
      throw networkError('ECONNRESET');
    });
    try {
      const answer = (async () => {
        const response = await this.#answer(new Request(url, { ...init, headers }), server?.answer);
        const bytes = await response.arrayBuffer();
        sent.answer = Buffer.from(bytes).toString('utf8');
        const empty = [101, 204, 205, 304].includes(response.status);
        return new Response(empty ? null : bytes, { status: response.status, headers: response.headers });
      })();
      answer.catch(() => undefined);
      return await (crashed === undefined ? answer : Promise.race([answer, crashed]));
    } finally {
      this.#activity.end(id);
    }
  }

  /** As over a socket: an aborted request is answered to nobody. */
  async #answer(request: Request, gateway: Answering['answer'] | undefined): Promise<Response> {
    const server = gateway ?? this.servers.get(new URL(request.url).origin);
    if (server === undefined) throw networkError('ECONNREFUSED');
    const { signal } = request;
    signal.throwIfAborted();
    return await Promise.race([
      server(request),
      new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      }),
    ]);
  }

  #gatewayOf({ headers }: RequestInit): Answering | undefined {
    const number = Number(new Headers(headers).get(GATEWAY_HEADER) ?? 0);
    return this.gateways[number % Math.max(1, this.gateways.length)];
  }

  #fault(leg: Leg, method: string, path: string): FaultKind | undefined {
    if (this.#clock.now() < (this.#parted.get(leg) ?? 0)) return 'refused';
    const write = method !== 'GET' && !path.startsWith('/.well-known');
    for (const armed of this.#armed) {
      if (armed.fault.leg !== leg || (armed.fault.writesOnly && !write)) continue;
      if (armed.left-- > 0) continue;
      this.#armed.splice(this.#armed.indexOf(armed), 1);
      return armed.fault.kind;
    }
    return undefined;
  }
}

function toGateway(leg: Leg): boolean {
  return leg === 'agent-gateway' || leg === 'provider-gateway';
}

function networkError(code: string): TypeError {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
}
