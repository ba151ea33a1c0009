import { TradeAgentError } from '../../errors/errors.ts';

/** Faults that the sandbox can simulate (`trade-agent sandbox --fault NAME[:COUNT]`), with descriptions. */
export const faultDescriptions = {
  slow_down: 'the identity provider responds to a CIBA poll with slow_down',
  lost_token_response: 'the identity provider issues the approval token and then drops the connection',
  idp_5xx: 'the identity provider responds with 503 at its token endpoint',
  broker_5xx: 'the broker responds with 500',
  slow_answers: 'every server waits two seconds before it responds',
  tampered_details: 'the identity provider changes the quantity in the approved details',
  replayed_approval: 'the identity provider gives a new approval token the jti of the previous one',
  message_timeout_after_accept: 'Slack or Gmail sends a message and then drops the connection',
  broker_timeout_after_accept: 'the broker accepts an order and then drops the connection',
  broker_stream_drop: 'the broker drops the stream of order updates instead of sending an update',
} as const;

export type FaultName = keyof typeof faultDescriptions;

/** The active faults, each with the number of times that it will still occur (`Infinity` until cleared). */
export class ActiveFaults {
  readonly #left = new Map<FaultName, number>();

  /** Parses texts such as `slow_down:2`. @throws {TradeAgentError} `usage` for an unknown name or an invalid count */
  static parse(texts: readonly string[]): ActiveFaults {
    const parsed = new ActiveFaults();
    for (const text of texts) {
      const [name = '', count = ''] = text.split(':');
      if (!(name in faultDescriptions)) {
        throw new TradeAgentError('usage', `unknown fault "${name}"`, {
          hint: `Choose from ${Object.keys(faultDescriptions).join(', ')}; append :N to repeat it N times.`,
        });
      }
      if (count !== '' && !/^[1-9]\d*$/.test(count)) {
        throw new TradeAgentError('usage', `"${text}": the count must be a positive whole number`, {
          hint: `Write ${name}:1.`,
        });
      }
      parsed.set(name as FaultName, count === '' ? Number.POSITIVE_INFINITY : Number(count));
    }
    return parsed;
  }

  set(name: FaultName, times: number): void {
    this.#left.set(name, times);
  }

  clear(): void {
    this.#left.clear();
  }

  /** Returns whether to simulate the fault now. If so, decrements the remaining count. */
  take(name: FaultName): boolean {
    const left = this.#left.get(name) ?? 0;
    if (left <= 0) return false;
    this.#left.set(name, left - 1);
    return true;
  }
}
