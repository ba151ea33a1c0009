import { randomUUID } from 'node:crypto';
import type { Clock } from '../../src/machine/clock.ts';

/** One question to the person, and all that became of it: the provider's own log. Times are the world's. */
export interface Question {
  readonly id: string;
  readonly client: string;
  readonly sub: string;
  readonly scope: string;
  /** Undefined where the provider is told no details: only the binding message is shown. */
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly bindingMessage: string;
  readonly notificationToken: string | undefined;
  readonly askedAt: number;
  readonly expiresAt: number;
  /** Seconds between polls; rises with each `slow_down`. */
  interval: number;
  decision: 'approve' | 'deny' | undefined;
  decidedAt: number | undefined;
  withdrawnAt: number | undefined;
  redeemed: boolean;
  jti: string | undefined;
  readonly spoilt: { readonly at: number; readonly by: string }[];
  readonly told: {
    readonly at: number;
    readonly state: string;
    readonly text: string;
    readonly kept: boolean;
  }[];
}

type Asked = Omit<
  Question,
  'id' | 'askedAt' | 'decision' | 'decidedAt' | 'withdrawnAt' | 'redeemed' | 'jti' | 'spoilt' | 'told'
>;

/** The phone: what is asked, decided, withdrawn, and what it shows afterwards. */
export class Questions {
  readonly all: Question[] = [];
  readonly #clock: Clock;
  readonly #ping: (authReqId: string, token: string) => void;
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(clock: Clock, ping: (authReqId: string, token: string) => void) {
    this.#clock = clock;
    this.#ping = ping;
  }

  add(asked: Asked): Question {
    const question: Question = {
      ...asked,
      id: randomUUID(),
      askedAt: this.#clock.now(),
      decision: undefined,
      decidedAt: undefined,
      withdrawnAt: undefined,
      redeemed: false,
      jti: undefined,
      spoilt: [],
      told: [],
    };
    this.all.push(question);
    return question;
  }

  find(id: string): Question | undefined {
    return this.all.find((question) => question.id === id);
  }

  open(): Question[] {
    return this.all.filter(
      ({ decision, withdrawnAt, expiresAt }) =>
        decision === undefined && withdrawnAt === undefined && this.#clock.now() < expiresAt,
    );
  }

  /** The person decides. False where it is too late, withdrawn, or decided already. */
  decide(question: Question, decision: 'approve' | 'deny'): boolean {
    if (!this.open().includes(question)) return false;
    question.decision = decision;
    question.decidedAt = this.#clock.now();
    this.#news(question.id);
    this.ping(question);
    return true;
  }

  /** Calls the client back, perhaps another time. */
  ping({ id, notificationToken }: Pick<Question, 'id' | 'notificationToken'>): void {
    if (notificationToken !== undefined) this.#ping(id, notificationToken);
  }

  tell(id: string, state: string, text: string): 'told' | 'already_decided' | 'not_found' {
    const question = this.find(id);
    if (question === undefined) return 'not_found';
    const late = question.decision !== undefined && state === 'cancelled';
    question.told.push({ at: this.#clock.now(), state, text, kept: !late });
    if (late) return 'already_decided';
    const ends = ['cancelled', 'expired', 'blocked'].includes(state);
    if (ends && question.decision === undefined && question.withdrawnAt === undefined) {
      question.withdrawnAt = this.#clock.now();
      this.#news(id);
    }
    return 'told';
  }

  /** Calls back at a decision or a withdrawal. Returns what ends that. */
  onNews(id: string, wake: () => void): () => void {
    const set = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, set.add(wake));
    return () => set.delete(wake);
  }

  #news(id: string): void {
    for (const wake of this.#waiting.get(id) ?? []) wake();
  }
}
