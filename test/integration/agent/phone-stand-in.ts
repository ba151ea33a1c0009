import type { ApprovalClient, BackchannelAuthentication, PollResult } from '../../../src/auth/ciba.ts';
import { approvalCode, type TradeOrderDetails } from '../../../src/trading/approval-details.ts';
import { tokenFor } from './gateway-stand-in.ts';

export interface Asked {
  readonly id: string;
  readonly details: TradeOrderDetails;
  readonly bindingMessage: string;
  readonly code: string;
}

type Decision = 'approve' | 'deny';

/** The identity provider and the phone: holds each poll open until `decide`, as a long-polling provider does. */
export class PhoneStandIn implements ApprovalClient {
  readonly asked: Asked[] = [];
  /** Given out before any decision, oldest first. */
  readonly scripted: PollResult[] = [];
  polls = 0;
  overlapping = false;
  requestError: Error | undefined;
  /** Decides by itself as soon as it is asked. */
  auto: ((asked: Asked) => Decision) | undefined;
  readonly #decisions = new Map<string, Decision>();
  readonly #waiting = new Map<string, (decision: Decision) => void>();
  readonly #polling = new Set<string>();
  #onAsked: (() => void)[] = [];

  async request(
    details: TradeOrderDetails,
    bindingMessage: string,
    expiresIn: number,
  ): Promise<BackchannelAuthentication> {
    if (this.requestError !== undefined) throw this.requestError;
    const asked = {
      id: `auth-req-${this.asked.length + 1}`,
      details,
      bindingMessage,
      code: approvalCode(details.digest),
    };
    this.asked.push(asked);
    if (this.auto !== undefined) this.#decisions.set(asked.id, this.auto(asked));
    for (const wake of this.#onAsked.splice(0)) wake();
    return { authReqId: asked.id, expiresAt: Date.now() + expiresIn * 1000, interval: 0 };
  }

  async poll(authReqId: string, signal: AbortSignal): Promise<PollResult> {
    this.polls += 1;
    if (this.#polling.has(authReqId)) this.overlapping = true;
    this.#polling.add(authReqId);
    try {
      const scripted = this.scripted.shift();
      if (scripted !== undefined) return scripted;
      const decision = this.#decisions.get(authReqId) ?? (await this.#decision(authReqId, signal));
      return this.#result(authReqId, decision);
    } finally {
      this.#polling.delete(authReqId);
    }
  }

  /** Resolves once this many approvals were asked for. */
  async untilAsked(count: number): Promise<Asked[]> {
    while (this.asked.length < count) await new Promise<void>((resolve) => this.#onAsked.push(resolve));
    return this.asked;
  }

  decide(symbol: string, decision: Decision): void {
    const asked = this.asked.findLast(({ details }) => details.symbol === symbol);
    if (asked === undefined) throw new Error(`nothing asked about ${symbol}`);
    this.#decisions.set(asked.id, decision);
    this.#waiting.get(asked.id)?.(decision);
  }

  #decision(id: string, signal: AbortSignal): Promise<Decision> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, resolve);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      if (signal.aborted) reject(signal.reason);
    });
  }

  #result(id: string, decision: Decision): PollResult {
    if (decision === 'deny') return { status: 'denied' };
    const asked = this.asked.find((candidate) => candidate.id === id) as Asked;
    return {
      status: 'approved',
      accessToken: tokenFor(asked.details.digest),
      expiresAt: Date.now() + 300_000,
    };
  }
}
