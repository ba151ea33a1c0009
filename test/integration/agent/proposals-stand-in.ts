import type { IncomingMessage } from 'node:http';
import type { ProblemCode } from '../../../src/errors/problem-codes.ts';
import { HttpProblem } from '../../../src/trading/http-problem.ts';
import { normalizeOrder } from '../../../src/trading/order.ts';
import {
  idempotencyKeySchema,
  isSettledState,
  type Proposal,
  type ProposalRequest,
  proposalRequestSchema,
  proposalSchema,
} from '../../../src/trading/proposal.ts';
import type { Order } from '../../../src/trading/views.ts';
import type { GatewayStandIn } from './gateway-stand-in.ts';

export type Decision = 'approve' | 'deny';

export type ProposeFault =
  | 'drop_after_accept'
  | 'drop_before_accept'
  | { readonly status: number; readonly code: ProblemCode; readonly [member: string]: unknown };

export type ExecutionFault =
  /** Until {@link ProposalsStandIn.settle}. */
  | 'hold'
  | 'unknown'
  | { readonly code: ProblemCode; readonly text?: string; readonly members?: Record<string, unknown> };

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

interface Kept {
  readonly sub: string;
  readonly request: ProposalRequest;
  proposal: Proposal;
}

/** `/v1/proposals` in memory, with the person who is asked. */
export class ProposalsStandIn {
  readonly asked: Proposal[] = [];
  /** Repeats included. */
  readonly posts: { readonly key: string; readonly body: ProposalRequest }[] = [];
  /** Decides at once. */
  auto: ((proposal: Proposal) => Decision | undefined) | undefined;
  faults: ProposeFault[] = [];
  executions: ExecutionFault[] = [];
  /** Number of reads. */
  looks = 0;
  isHalted = false;
  readonly #gateway: GatewayStandIn;
  readonly #kept = new Map<string, Kept>();
  readonly #keys = new Map<string, { readonly body: string; readonly id: string }>();
  readonly #changed = new Set<() => void>();
  #time = 0;

  constructor(gateway: GatewayStandIn) {
    this.#gateway = gateway;
  }

  async untilAsked(count: number): Promise<Proposal[]> {
    while (this.asked.length < count) await this.#change();
    return this.asked;
  }

  decide(about: string, decision: Decision): void {
    this.#decide(this.#latest(about).id, decision);
  }

  expire(about: string): void {
    this.#end(this.#latest(about).id, 'expired', 'approval_expired', 'no response in time');
  }

  settle(about: string, how: 'executed' | 'expired' = 'executed'): void {
    const { id } = this.#latest(about);
    if (how === 'executed') this.#carryOut(id);
    else this.#end(id, 'expired', 'approval_expired', 'it never reached the broker');
  }

  #latest(about: string): Proposal {
    const found = this.asked.findLast((one) => aboutOf(one) === about);
    if (found === undefined) throw new Error(`nothing asked about ${about}`);
    return found;
  }

  /** As when an order fills. */
  update(id: string, result: Order): void {
    this.#write(id, { result } as Partial<Proposal>);
  }

  async foreign(sub: string, body: unknown, client: string): Promise<Proposal> {
    const { body: made } = await this.#propose(sub, `foreign-${this.asked.length}`, body, client);
    return proposalSchema.parse(made);
  }

  async answer(request: IncomingMessage, url: URL, body: string): Promise<Answer | 'drop'> {
    const { method, headers } = request;
    const sub = /^Bearer PLANTED-SESSION-TOKEN\.(.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
    const id = url.pathname.slice('/v1/proposals/'.length);
    if (method === 'POST') {
      const fault = this.faults.shift();
      if (fault === 'drop_before_accept') return 'drop';
      if (typeof fault === 'object') {
        const { status, code, ...members } = fault;
        throw new HttpProblem(status, code, code, { members });
      }
      const key = idempotencyKeySchema.parse(headers['idempotency-key']);
      const answer = await this.#propose(sub, key, JSON.parse(body), 'trade-agent');
      return fault === 'drop_after_accept' ? 'drop' : answer;
    }
    if (id === '') return { status: 200, body: { proposals: this.#list(sub, url) } };
    if (method === 'DELETE') return { status: 200, body: this.#withdraw(sub, id) };
    return { status: 200, body: await this.#look(sub, id, url, request) };
  }

  #list(sub: string, url: URL): Proposal[] {
    const open = url.searchParams.get('state') === 'open';
    return this.asked
      .filter(({ id, state }) => this.#kept.get(id)?.sub === sub && !(open && isSettledState(state)))
      .reverse()
      .slice(0, Number(url.searchParams.get('limit') ?? 100));
  }

  #own(sub: string, id: string): Kept {
    const kept = this.#kept.get(id);
    if (kept === undefined || kept.sub !== sub) throw new HttpProblem(404, 'not_found', 'there is no such proposal');
    return kept;
  }

  async #look(sub: string, id: string, url: URL, request: IncomingMessage): Promise<Proposal> {
    this.looks += 1;
    const kept = this.#own(sub, id);
    const since = url.searchParams.get('since') ?? kept.proposal.updated_at;
    const deadline = Date.now() + Number(url.searchParams.get('wait') ?? 0) * 1000;
    while (
      !isSettledState(kept.proposal.state) &&
      kept.proposal.updated_at === since &&
      Date.now() < deadline &&
      !request.socket.destroyed
    ) {
      await this.#change(deadline - Date.now());
    }
    return kept.proposal;
  }

  #withdraw(sub: string, id: string): Proposal {
    const { proposal } = this.#own(sub, id);
    if (isSettledState(proposal.state)) throw new HttpProblem(409, 'proposal_settled', `it is ${proposal.state}`);
    if (!['drafted', 'requested'].includes(proposal.state))
      throw new HttpProblem(409, 'proposal_executing', 'proposal_executing');
    this.#end(id, 'cancelled', 'approval_cancelled', 'taken back before it was carried out');
    return this.#own(sub, id).proposal;
  }

  async #propose(sub: string, key: string, json: unknown, client: string): Promise<Answer> {
    const parsed = proposalRequestSchema.safeParse(json);
    if (!parsed.success) throw new HttpProblem(400, 'invalid_proposal', String(parsed.error.issues[0]?.message));
    const request = parsed.data;
    this.posts.push({ key, body: request });
    const body = JSON.stringify(json);
    const earlier = this.#keys.get(`${sub} ${key}`);
    if (earlier !== undefined) {
      if (earlier.body !== body) throw new HttpProblem(409, 'idempotency_key_conflict', 'the key is another request’s');
      return { status: 200, body: this.#own(sub, earlier.id).proposal };
    }
    const same = [...this.#kept.values()].find(
      (kept) => kept.sub === sub && !isSettledState(kept.proposal.state) && alike(kept.request, request),
    );
    if (same !== undefined) return { status: 200, body: same.proposal };
    if (this.isHalted && request.kind !== 'cancel') throw new HttpProblem(403, 'policy_denied', 'trading is halted');
    const id = `pr_${String(this.asked.length + 1).padStart(8, '0')}`;
    const proposal = this.#complete(request, id, client);
    this.#kept.set(id, { sub, request, proposal });
    this.#keys.set(`${sub} ${key}`, { body, id });
    this.asked.push(proposal);
    this.#wake();
    const decision = this.auto?.(proposal);
    if (decision !== undefined) setImmediate(() => this.#decide(id, decision));
    return { status: 201, body: proposal };
  }

  #complete(request: ProposalRequest, id: string, client: string): Proposal {
    const now = this.#now();
    const expires_at = new Date(Date.now() + (request.ttl ?? 300) * 1000).toISOString().replace(/\.\d+Z/, 'Z');
    const subjectId = `ta-${id
      .slice(3)
      .replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? 'a')
      .padEnd(32, 'a')}`;
    const base = {
      id,
      state: 'requested',
      code: `K${id.slice(-3)}`,
      worst_case: null,
      warnings: [],
      created_at: now,
      updated_at: now,
      expires_at,
      requested_by: request.requested_by ?? null,
      client,
      ...(request.provenance === undefined ? {} : { provenance: request.provenance }),
      approval: { method: 'ciba' },
    };
    switch (request.kind) {
      case 'order':
        return proposalSchema.parse({
          ...base,
          kind: 'order',
          ...this.#order(request.order, subjectId, expires_at),
        });
      case 'message':
        return proposalSchema.parse({
          ...base,
          kind: 'message',
          subject: { ...request.message, client_message_id: subjectId, expires_at },
        });
      case 'cancel': {
        const order = this.#gateway.book.find((one) => one.id === request.cancel.order_id);
        if (order === undefined) throw new HttpProblem(404, 'not_found', 'there is no such order');
        return proposalSchema.parse({
          ...base,
          kind: 'cancel',
          subject: {
            account: 'PA3ALICE01',
            environment: 'paper',
            order: { ...order },
            protects: this.#gateway.protecting.has(order.id),
            client_cancel_id: subjectId,
            expires_at,
          },
        });
      }
      default:
        throw new HttpProblem(409, 'not_replaceable', 'the stand-in replaces no orders');
    }
  }

  #order(
    { environment, max_slippage = '0.01', ...order }: Extract<ProposalRequest, { kind: 'order' }>['order'],
    client_order_id: string,
    expires_at: string,
  ) {
    const { symbol, side, qty, notional } = order;
    const reference_price = this.#gateway.priceOf(symbol, side);
    if (reference_price === undefined) throw new HttpProblem(404, 'unknown_symbol', `there is no symbol ${symbol}`);
    if (environment !== undefined && environment !== 'paper') {
      throw new HttpProblem(
        403,
        'environment_mismatch',
        'the profile says live, but the gateway trades on a paper account',
      );
    }
    if (!this.#gateway.open && order.type === 'market') {
      throw new HttpProblem(409, 'market_closed', 'the market is closed; it opens at 2026-11-25T14:30:00Z');
    }
    // A stand-in may count in floats.
    const shares = Number(qty ?? Number(notional) / Number(reference_price));
    const held = Number(this.#gateway.positions.find((position) => position.symbol === symbol)?.qty ?? 0);
    const isTooMuch =
      side === 'sell' ? shares > held : shares * Number(reference_price) > Number(this.#gateway.buyingPower);
    if (isTooMuch) throw new HttpProblem(422, 'insufficient_funds', 'there is not that much');
    const subject = normalizeOrder({
      account: 'PA3ALICE01',
      environment: 'paper' as const,
      ...order,
      reference_price,
      max_slippage,
      client_order_id,
      expires_at,
    });
    const cash = (shares * Number(reference_price) * 1.01).toFixed(2);
    return { subject, worst_case: { cash, price: null, text: `at most $${cash}` } };
  }

  #decide(id: string, decision: Decision): void {
    const kept = this.#kept.get(id);
    // A late decision has no effect.
    if (kept === undefined || kept.proposal.state !== 'requested') return;
    if (decision === 'deny') {
      this.#end(id, 'denied', 'approval_denied', 'denied on the phone');
      return;
    }
    this.#write(id, { state: 'approved' });
    this.#write(id, { state: 'executing' });
    const fault = this.executions.shift();
    if (fault === 'hold') return;
    if (fault === 'unknown') {
      this.#write(id, {
        state: 'unknown',
        reason: { code: 'outcome_unknown', text: 'the broker did not answer' },
      });
      return;
    }
    if (fault !== undefined) {
      const { code, text = code, members } = fault;
      this.#write(id, {
        state: 'blocked',
        reason: { code, text, ...(members === undefined ? {} : { members }) },
      });
      return;
    }
    this.#carryOut(id);
  }

  #carryOut(id: string): void {
    const { proposal } = this.#kept.get(id) as Kept;
    switch (proposal.kind) {
      case 'order': {
        const { symbol, side, reference_price, max_slippage } = proposal.subject;
        const now = Number(this.#gateway.priceOf(symbol, side));
        if (Math.abs(now - Number(reference_price)) > Number(reference_price) * Number(max_slippage) + 1e-9) {
          this.#end(id, 'blocked', 'price_moved', `the price of ${symbol} moved too far from ${reference_price}`);
          return;
        }
        this.#write(id, { state: 'executed', result: this.#gateway.place(proposal.subject) });
        return;
      }
      case 'message': {
        const { client_message_id, service, recipient } = proposal.subject;
        const result = { client_message_id, service, recipient, ...this.#gateway.send(proposal.subject) };
        this.#write(id, { state: 'executed', result });
        return;
      }
      case 'cancel':
        this.#write(id, { state: 'executed', result: this.#gateway.cancel(proposal.subject.order.id) });
        return;
    }
  }

  #end(id: string, state: Proposal['state'], code: ProblemCode, text: string): void {
    this.#write(id, { state, reason: { code, text } });
  }

  #write(id: string, change: object): void {
    const kept = this.#kept.get(id) as Kept;
    kept.proposal = { ...kept.proposal, ...change, updated_at: this.#now() } as Proposal;
    this.asked[this.asked.findIndex((one) => one.id === id)] = kept.proposal;
    this.#wake();
  }

  /** Strictly increasing, so that every change shows. */
  #now(): string {
    this.#time = Math.max(Date.now(), this.#time + 1);
    return new Date(this.#time).toISOString();
  }

  #wake(): void {
    for (const wake of [...this.#changed]) wake();
  }

  #change(ms?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(() => wake(), ms);
      timer?.unref();
      const wake = () => {
        clearTimeout(timer);
        this.#changed.delete(wake);
        resolve();
      };
      this.#changed.add(wake);
    });
  }
}

export function aboutOf(proposal: Proposal): string {
  switch (proposal.kind) {
    case 'order':
      return proposal.subject.symbol;
    case 'message':
      return proposal.subject.service;
    case 'cancel':
      return proposal.subject.order.symbol;
    default:
      return proposal.kind;
  }
}

function alike({ provenance: _a, ...a }: ProposalRequest, { provenance: _b, ...b }: ProposalRequest): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
