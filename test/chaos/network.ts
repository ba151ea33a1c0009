import type { Clock } from '../../src/machine/clock.ts';
import { currentDispatchDeadline, type DispatchDeadline, NotDispatchedError } from '../../src/net/dispatch-deadline.ts';
import type { Activity } from './activity.ts';
import type { Life } from './life.ts';
import type { SimClock } from './sim-clock.ts';

export const legs = ['agent-gateway', 'provider-gateway', 'gateway-broker', 'gateway-provider'] as const;
export type Leg = (typeof legs)[number];

/**
 * What can become of a request. `refused`: it never left. `lost`: it took effect, its answer did not arrive. `late`: as
 * lost, but it takes effect only later. `unavailable`: a 503 in place of the server. `broken`: a 502 in place of its answer,
 * after it took effect. `busy`: a 429 in place of the server, which did not look at it. `connecting`: it leaves only once a
 * connection is made, which takes a while. `stopped`: the sender's process stands still for a while right before it leaves.
 */
export const faultKinds = [
  'refused',
  'lost',
  'late',
  'unavailable',
  'broken',
  'busy',
  'connecting',
  'stopped',
] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  readonly leg: Leg;
  readonly kind: FaultKind;
  /** Requests on the leg that pass before it strikes. */
  readonly after: number;
  /** Strikes only requests that change something. */
  readonly writesOnly: boolean;
  /** How long it lasts, for `late`, `connecting` and `stopped`. */
  readonly seconds?: number;
  /** A late request waits in the sender's kernel and stands still with it; otherwise it travels on. */
  readonly frozen?: boolean;
}

export interface Sent {
  readonly leg: Leg;
  readonly from: Life;
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly at: number;
  /** When whoever sends it had decided to: the world's time and the sender's, and what `count` was. */
  readonly decided: Decided;
  /** When it left: the sender's own time, by its wall clock and by its monotonic one. */
  readonly senderAt: number;
  readonly monotonicAt: number;
  readonly fault: FaultKind | undefined;
  readonly begun: number;
  ended: number;
  status: number | undefined;
  /** As the server gave it, whether or not it arrived. */
  answer: string;
  /** Whether an answer reached the sender. */
  heard: boolean;
  note: Record<string, unknown>;
  /** When it took effect after all, for a late one; the world's time. */
  arrivedAt?: number;
}

interface Decided {
  readonly at: number;
  readonly count: number;
  readonly senderAt: number;
  readonly monotonicAt: number;
}

/** A fault that struck, and how long it could be felt; the world's time. */
export interface Disturbance {
  readonly leg: Leg;
  readonly kind: FaultKind;
  readonly at: number;
  until: number;
}

/** A request that never left. `stopped`: by its dispatch deadline. `given_up`: no connection within the time-out. */
export interface Held {
  readonly leg: Leg;
  readonly from: Life;
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly why: 'stopped' | 'given_up';
}

/** A gateway concluded that an order was not placed, though the broker never said so. */
export interface Conclusion {
  readonly by: Life;
  readonly clientOrderId: string;
  /** Until when it still counts; undefined where it was given back at once. Milliseconds since the epoch. */
  readonly reservedUntil: number | undefined;
  /** The world's time, and what `count` was. */
  readonly at: number;
  readonly count: number;
  /** Whether the same process waits for an answer to a request for it, or for the connection to send one. */
  readonly isOpen: boolean;
}

interface Answering {
  readonly life: Life;
  readonly answer: (request: Request) => Response | Promise<Response>;
}

/** By which of the gateway's processes a request is to be answered; the first, where it says nothing. */
export const GATEWAY_HEADER = 'x-chaos-gateway';

/** The longest time a late request takes that does not say how long. */
const LATE_MS = 14_000;
/** A connection that stood still for longer is dropped by the other end, and what waited in it never arrives. */
const FROZEN_MS = 3 * 3_600_000;
/** How long a fault may still be felt after it struck. */
const FELT_MS = 15_000;
/**
 * The gateway's time-out for a request, by the simulated clock: `AbortSignal.timeout` counts real milliseconds and never
 * fires here. It runs only while the process does: after a pause Node.js handles the new connection before the timers due.
 */
const GIVEN_UP_MS = 10_000;

interface Sending {
  readonly life: Life;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly leg: Leg;
  readonly decided: Decided;
  readonly deadline: DispatchDeadline | undefined;
  readonly before: (sent: Sent) => Promise<void>;
}

export class Network {
  readonly sent: Sent[] = [];
  readonly held: Held[] = [];
  readonly conclusions: Conclusion[] = [];
  /** Requests that whoever sends them waits for, whether or not they have left. */
  readonly #open = new Set<Omit<Held, 'why'>>();
  readonly disturbances: Disturbance[] = [];
  readonly #armed: { fault: Fault; left: number }[] = [];
  readonly #parted = new Map<Leg, number>();
  readonly #activity: Activity;
  readonly #clock: SimClock;
  count = 0;
  #lateOnes = 0;
  /** How long each late one has left, milliseconds, if the machine stays awake. */
  readonly #arrivals = new Set<() => number>();
  /** Who answers at an address. Nothing goes over a socket: what that takes is not what a history is about. */
  readonly servers = new Map<string, (request: Request) => Response | Promise<Response>>();
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

  /** Notes that a gateway has concluded something. */
  concluded(by: Life, clientOrderId: string, reservedUntil: number | undefined): void {
    const isOpen = [...this.#open].some(({ from, body }) => from === by && body.includes(clientOrderId));
    const when = { at: this.#clock.now(), count: this.count };
    this.conclusions.push({ by, clientOrderId, reservedUntil, ...when, isOpen });
  }

  /** How long it takes until all that is late has arrived, milliseconds. */
  get inProgress(): number {
    return Math.max(0, ...[...this.#arrivals].map((left) => left()));
  }

  /** `fetch` for one process. `leg` by address; `before` sees each request as it leaves. */
  fetchFor(
    life: Life,
    clock: Pick<Clock, 'now' | 'monotonic'>,
    legOf: (url: URL) => Leg,
    before: (sent: Sent) => Promise<void> = async () => undefined,
  ): typeof fetch {
    return async (input, init) => {
      const leg = legOf(new URL(String(input)));
      const own = { senderAt: clock.now(), monotonicAt: clock.monotonic() };
      const decided = { at: this.#clock.now(), count: this.count, ...own };
      const deadline = currentDispatchDeadline();
      const { sent, response } = await life.outside(() =>
        this.#send({ life, clock, leg, decided, deadline, before }, String(input), init ?? {}),
      );
      // As with a real one: an answer that comes to somebody who no longer waits for it is not heard.
      init?.signal?.throwIfAborted();
      sent.heard = true;
      return response;
    };
  }

  async #send(sending: Sending, url: string, init: RequestInit): Promise<{ sent: Sent; response: Response }> {
    const { life, leg } = sending;
    const method = init.method ?? 'GET';
    const { pathname, search } = new URL(url);
    const body = init.body === undefined || init.body === null ? '' : String(init.body);
    const request = { leg, from: life, method, path: pathname + search, body };
    this.#open.add(request);
    try {
      return await this.#sendOne(sending, request, url, init);
    } finally {
      this.#open.delete(request);
    }
  }

  async #sendOne(
    { life, clock, leg, decided, deadline, before }: Sending,
    request: Omit<Held, 'why'>,
    url: string,
    init: RequestInit,
  ): Promise<{ sent: Sent; response: Response }> {
    const fault = this.#fault(leg, request.method, new URL(url).pathname);
    if (fault?.kind === 'connecting' && !(await this.#connected(fault, life, init))) {
      this.held.push({ ...request, why: 'given_up' });
      throw new DOMException('The operation was aborted due to timeout', 'TimeoutError');
    }
    if (fault?.kind === 'stopped') await this.#stopped(fault, life);
    // Nothing is waited for between this look and the moment it has left.
    this.#requireDispatchable(deadline, request);
    const sent: Sent = {
      ...request,
      at: this.#clock.now(),
      decided,
      senderAt: clock.now(),
      monotonicAt: clock.monotonic(),
      fault: fault?.kind,
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
      const response = await this.#carry(sent, fault, url, init);
      sent.status = response.status;
      return { sent, response };
    } finally {
      sent.ended = ++this.count;
    }
  }

  /** @throws {TypeError} as `fetch` does, once nothing may leave any more */
  #requireDispatchable(deadline: DispatchDeadline | undefined, request: Omit<Held, 'why'>): void {
    try {
      deadline?.dispatch();
    } catch (error) {
      if (!(error instanceof NotDispatchedError)) throw error;
      this.held.push({ ...request, why: 'stopped' });
      throw new TypeError('fetch failed', { cause: error });
    }
  }

  /** Waits for a connection. False if the gateway's time-out came first. */
  async #connected({ seconds = 5 }: Fault, life: Life, { signal }: RequestInit): Promise<boolean> {
    const madeAt = this.#clock.now() + seconds * 1000;
    const over = new AbortController();
    const until = AbortSignal.any(signal == null ? [over.signal] : [over.signal, signal]);
    const waits = [this.#clock.sleep(seconds * 1000, until), this.#clock.sleepAs('frozen', GIVEN_UP_MS, until)];
    await Promise.race(waits).finally(() => over.abort());
    await Promise.allSettled(waits);
    await life.running();
    signal?.throwIfAborted();
    return this.#clock.now() >= madeAt;
  }

  /** Whoever waits for the process waits for time to pass. */
  async #stopped({ seconds = 35 }: Fault, life: Life): Promise<void> {
    life.pauseAfter(0);
    const still = this.#clock.sleep(seconds * 1000).then(() => life.unpause());
    void this.#activity.asleep('agent-gateway', still);
    void this.#activity.asleep('provider-gateway', still);
    await life.running();
  }

  async #carry(sent: Sent, struck: Fault | undefined, url: string, init: RequestInit): Promise<Response> {
    const fault = struck?.kind;
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
    if (struck?.kind === 'late') {
      void this.#arriveLate(sent, struck, url, init);
      throw networkError('ETIMEDOUT');
    }
    const response = await this.#exchange(sent, url, init);
    if (fault === 'lost') throw networkError('ECONNRESET');
    if (fault === 'broken') return new Response('<html>bad gateway</html>', { status: 502 });
    return response;
  }

  /** The request arrives later. Its sender has long stopped waiting, and may be dead. */
  async #arriveLate(sent: Sent, { seconds, frozen = false }: Fault, url: string, init: RequestInit): Promise<void> {
    const { signal: _, ...rest } = init;
    const wait = seconds === undefined ? 1_000 + ((this.#lateOnes++ * 4_999) % (LATE_MS - 1_000)) : seconds * 1000;
    const time = () => (frozen ? this.#clock.monotonic() : this.#clock.now());
    const due = time() + wait;
    const left = () => due - time();
    this.#arrivals.add(left);
    await this.#clock.sleepAs(frozen ? 'frozen' : 'elsewhere', wait);
    this.#arrivals.delete(left);
    if (this.#clock.now() - sent.at > wait + FROZEN_MS) return;
    sent.arrivedAt = this.#clock.now();
    await this.#exchange(sent, url, rest).catch(() => undefined);
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

  #fault(leg: Leg, method: string, path: string): Fault | undefined {
    const fault = this.#strikes(leg, method, path);
    if (fault === undefined) return undefined;
    const at = this.#clock.now();
    this.disturbances.push({ leg, kind: fault.kind, at, until: at + FELT_MS + (fault.seconds ?? 0) * 1000 });
    return fault;
  }

  #strikes(leg: Leg, method: string, path: string): Fault | undefined {
    const writesOnly = false;
    if (this.#clock.now() < (this.#parted.get(leg) ?? 0)) return { leg, kind: 'refused', after: 0, writesOnly };
    const write = method !== 'GET' && !path.startsWith('/.well-known');
    for (const armed of this.#armed) {
      if (armed.fault.leg !== leg || (armed.fault.writesOnly && !write)) continue;
      if (armed.left-- > 0) continue;
      this.#armed.splice(this.#armed.indexOf(armed), 1);
      return armed.fault;
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
