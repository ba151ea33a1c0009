import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { z } from 'zod';
import type { Agent } from '../../../../src/agent/agent.ts';
import type { AgentEvent } from '../../../../src/agent/events.ts';
import {
  type AddScheduleRequest,
  type AgentOperation,
  agentOperations,
  fromWireInput,
  fromWireOptions,
  IDEMPOTENCY_KEY_HEADER,
  type OperationName,
  type RemoteSchedule,
  type startedRunSchema,
  type WireInput,
  type WireOptions,
} from '../../../../src/agent/remote/protocol.ts';
import { TradeAgentError } from '../../../../src/errors/errors.ts';
import type { RunRecord } from '../../../../src/schedule/run-record.ts';
import { withHttpProblems } from '../../../../src/server/http/agent-problem.ts';
import { AgentHttpProblem, HttpProblem, ProblemError } from '../../../../src/trading/http-problem.ts';
import { defined } from '../../../../src/values/defined.ts';

/** How many more times each fault happens. */
export interface Faults {
  /** POSTs executed without an answer. */
  lostAnswers: number;
  halfAnswers: number;
  /** Messages per stream before it is cut. */
  cuts: number[];
  repeats: boolean;
  unavailable: number;
}

interface Run {
  readonly id: string;
  readonly thread: string;
  readonly events: { readonly id: number; readonly event: AgentEvent }[];
  readonly stop: AbortController;
  over: boolean;
  wake: (() => void)[];
}

type Made = Pick<WireOptions, 'read_only' | 'model' | 'account'>;

/**
 * An agent behind the protocol's HTTP, in memory: what `trade-agent server` is to its clients, less sign-in and database.
 * Bodies are read, and answers checked, by the protocol's schemas.
 */
export class AgentServer {
  url = '';
  readonly faults: Faults = {
    lostAnswers: 0,
    halfAnswers: 0,
    cuts: [],
    repeats: false,
    unavailable: 0,
  };
  readonly also = new Map<string, () => unknown>();
  readonly asked: string[] = [];
  /** Bodies of started runs, each once. */
  readonly begun: unknown[] = [];
  readonly schedules: RemoteSchedule[] = [];
  readonly ran: RunRecord[] = [];
  readonly #agentFor: (made: Made) => Promise<Agent>;
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  readonly #runs = new Map<string, Run>();
  readonly #keys = new Map<string, { readonly body: string; readonly answer: unknown }>();

  constructor(agentFor: (made: Made) => Promise<Agent>) {
    this.#agentFor = agentFor;
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    for (const run of this.#runs.values()) run.stop.abort();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  dropConnections(): void {
    this.#server.closeAllConnections();
  }

  /** Threads of stopped runs. */
  stopped(): string[] {
    return [...this.#runs.values()].filter(({ stop }) => stop.signal.aborted).map(({ thread }) => thread);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    this.asked.push(`${request.method} ${url.pathname}${url.search}`);
    const also = this.also.get(url.pathname);
    if (also !== undefined) {
      response.writeHead(200, { 'content-type': 'application/json' });
      return void response.end(JSON.stringify(also()));
    }
    let text = '';
    for await (const chunk of request) text += chunk;
    try {
      if (this.#happens('unavailable')) throw new HttpProblem(503, 'closing', 'the server is closing');
      const { name, operation, params } = operationFor(request.method ?? '', url.pathname);
      if (name === 'runEvents') return await this.#stream(params.run ?? '', request, response);
      const answer = await withHttpProblems(() => this.#answer(name, operation, params, url, text, request));
      const isPost = request.method === 'POST';
      if (isPost && this.#happens('lostAnswers')) return void request.socket.destroy();
      const body = operation.answer === undefined ? '' : JSON.stringify(conforming(operation.answer, answer));
      const sent = isPost && this.#happens('halfAnswers') ? body.slice(0, body.length / 2) : body;
      response.writeHead(operation.status, { 'content-type': 'application/json' }).end(sent);
    } catch (error) {
      const refusal = error instanceof ProblemError ? error : new HttpProblem(500, 'internal', String(error));
      response.writeHead(refusal.status, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify(refusal.toProblem()));
    }
  }

  #happens(fault: 'lostAnswers' | 'halfAnswers' | 'unavailable'): boolean {
    if (this.faults[fault] === 0) return false;
    this.faults[fault] -= 1;
    return true;
  }

  async #answer(
    name: OperationName,
    operation: AgentOperation,
    params: Readonly<Record<string, string>>,
    url: URL,
    text: string,
    request: IncomingMessage,
  ): Promise<unknown> {
    const body = operation.body === undefined ? undefined : bodyOf(operation.body, text);
    const again = operation.idempotent ? this.#seen(request, text) : undefined;
    if (again !== undefined) return again;
    const agent = await this.#agentFor({});
    const approval = params.approval ?? '';
    const thread = params.thread ?? '';
    switch (name) {
      case 'startRun':
      case 'resumeThread': {
        const { input, options } = body as { input?: WireInput; options: WireOptions };
        const begun = await this.#begin(options, input?.thread ?? thread, body, (of, stop) =>
          input === undefined
            ? of.resume(thread, fromWireOptions(options, stop))
            : of.run(fromWireInput(input), fromWireOptions(options, stop)),
        );
        return this.#remember(request, text, begun);
      }
      case 'stopRun':
        this.#run(params.run ?? '').stop.abort(new TradeAgentError('interrupted', 'the run was stopped'));
        return undefined;
      case 'listThreads':
        return { threads: await agent.threads({ asKept: url.searchParams.get('as_kept') === 'true' }) };
      case 'readThread':
        return { thread: await agent.thread(thread) };
      case 'deleteThread':
        return await agent.deleteThread(thread);
      case 'pruneThreads': {
        const { older_than, keep, dry_run } = body as { older_than: number; keep: number; dry_run?: boolean };
        const deleted = await agent.pruneThreads({ olderThan: older_than, keep, dryRun: dry_run === true });
        return { deleted };
      }
      case 'listApprovals':
        return { approvals: await agent.approvals() };
      case 'readApproval': {
        const found = await agent.approval(approval);
        if (found === undefined) throw new TradeAgentError('not_found', `there is no approval ${approval}`);
        return { approval: found };
      }
      case 'cancelApproval':
        return { approval: await agent.cancelApproval(approval) };
      case 'reconcile':
        return { approvals: await agent.reconcile((body as { id?: string }).id) };
      case 'addSchedule': {
        const added = {
          ...(body as AddScheduleRequest),
          id: `s${this.schedules.length + 1}`,
          created_at: new Date().toISOString(),
          next: ['2030-01-02T20:30:00.000Z'],
          last: null,
        };
        this.schedules.push(added);
        return this.#remember(request, text, { schedule: added });
      }
      case 'listSchedules':
        return { schedules: this.schedules };
      case 'readSchedule':
        return { schedule: this.#schedule(params) };
      case 'removeSchedule':
        return void this.schedules.splice(this.schedules.indexOf(this.#schedule(params)), 1);
      case 'runSchedule': {
        const { id } = this.#schedule(params);
        const now = new Date().toISOString();
        this.ran.unshift({
          ...{ schedule: id, due: null, started_at: now, ended_at: null, status: 'running', exit_code: null },
          ...{ missed: 0, attempt: 1, found: 0, findings: [], approvals: [], unsent: 0 },
        });
        return this.#remember(request, text, { queued_at: now });
      }
      case 'scheduleRuns': {
        const { id } = this.#schedule(params);
        const runs = this.ran.filter(({ schedule }) => schedule === id);
        const answer = structuredClone(runs.slice(0, Number(url.searchParams.get('limit'))));
        // Over when it is looked at next.
        for (const run of runs)
          Object.assign(run, {
            ...{ ended_at: new Date().toISOString(), status: 'found', exit_code: 3, found: 1 },
            findings: [{ rule: 'drift', severity: 'warning', message: 'MSFT is 4 % above its target' }],
          });
        return { runs: answer };
      }
    }
  }

  /** @throws {Refusal} without a key, or for another body */
  #seen(request: IncomingMessage, body: string): unknown {
    const key = request.headers[IDEMPOTENCY_KEY_HEADER];
    if (typeof key !== 'string') throw new HttpProblem(400, 'idempotency_key_missing', 'a key is missing');
    const seen = this.#keys.get(key);
    if (seen !== undefined && seen.body !== body)
      throw new HttpProblem(409, 'idempotency_key_conflict', 'the key was used for something else');
    return seen?.answer;
  }

  #remember<T>(request: IncomingMessage, body: string, answer: T): T {
    this.#keys.set(String(request.headers[IDEMPOTENCY_KEY_HEADER]), { body, answer });
    return answer;
  }

  async #begin(
    { read_only, model, account }: WireOptions,
    wanted: string | undefined,
    body: unknown,
    start: (agent: Agent, stop: AbortSignal) => AsyncIterable<AgentEvent>,
  ): Promise<z.output<typeof startedRunSchema>> {
    const agent = await this.#agentFor(defined({ read_only, model, account }));
    const stop = new AbortController();
    const events = start(agent, stop.signal)[Symbol.asyncIterator]();
    const first = await events.next();
    const begun: AgentEvent | undefined = first.done ? undefined : first.value;
    if (begun?.type === 'result' && begun.result.error !== undefined) {
      const { code, message, hint } = begun.result.error;
      throw new TradeAgentError(code, message, defined({ hint }));
    }
    const thread = begun?.type === 'thread' ? begun.thread : (wanted ?? '');
    const id = `rn_${randomUUID().slice(0, 8)}`;
    const run: Run = { id, thread, events: [], stop, over: false, wake: [] };
    this.#runs.set(run.id, run);
    this.begun.push(body);
    const told = (event: AgentEvent) => {
      run.events.push({ id: run.events.length + 1, event });
      for (const wake of run.wake.splice(0)) wake();
    };
    if (begun !== undefined) told(begun);
    void (async () => {
      for (let next = await events.next(); !next.done; next = await events.next()) told(next.value);
      run.over = true;
      for (const wake of run.wake.splice(0)) wake();
    })();
    return { run: run.id, thread };
  }

  #schedule({ schedule }: Readonly<Record<string, string>>): RemoteSchedule {
    const found = this.schedules.find(({ id }) => id === schedule);
    if (found === undefined) throw new TradeAgentError('not_found', `there is no schedule ${schedule}`);
    return found;
  }

  #run(id: string): Run {
    const run = this.#runs.get(id);
    if (run === undefined) throw new TradeAgentError('not_found', `there is no run ${id}`);
    return run;
  }

  async #stream(id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const run = this.#run(id);
    const after = this.faults.repeats ? 0 : Number(request.headers['last-event-id'] ?? 0);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': alive\n\n');
    const cut = this.faults.cuts.shift();
    response.once('close', () => {
      for (const wake of run.wake.splice(0)) wake();
    });
    let told = 0;
    for (let at = after; ; ) {
      if (told === cut) return void request.socket.destroy();
      const next = run.events[at];
      if (next !== undefined) {
        const data = JSON.stringify(conforming(agentOperations.runEvents.answer, next.event));
        response.write(`id: ${next.id}\ndata: ${data}\n\n`);
        told += 1;
        at += 1;
      } else if (run.over) {
        return void response.end();
      } else {
        await new Promise<void>((resolve) => run.wake.push(resolve));
        if (response.destroyed) return;
      }
    }
  }
}

function bodyOf(schema: z.ZodType, text: string): unknown {
  const parsed = schema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map(({ path }) => path.join('.'));
  throw new AgentHttpProblem(422, 'usage', `the request is malformed: ${fields.join(', ')}`);
}

function conforming(schema: z.ZodType, value: unknown): unknown {
  const plain: unknown = value === undefined ? undefined : JSON.parse(JSON.stringify(value));
  schema.parse(plain);
  return plain;
}

function operationFor(method: string, path: string) {
  for (const [name, operation] of Object.entries(agentOperations) as [OperationName, AgentOperation][]) {
    if (operation.method !== method.toLowerCase()) continue;
    const pattern = operation.path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)');
    const found = new RegExp(`^${pattern}$`).exec(path);
    if (found === null) continue;
    const params = Object.fromEntries(
      Object.entries(found.groups ?? {}).map(([key, value]) => [key, decodeURIComponent(value)]),
    );
    return { name, operation, params };
  }
  throw new HttpProblem(404, 'not_found', `there is no ${method} ${path}`);
}
