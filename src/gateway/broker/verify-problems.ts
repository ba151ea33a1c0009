import { TradeAgentError } from '../../errors/errors.ts';
import type { BrokerFailure } from './broker-failure.ts';

export interface VerifiedAccount {
  readonly accountNumber: string;
  readonly environment: 'paper' | 'live';
  /** The broker's own word: `ACTIVE`. */
  readonly status: string;
  readonly tradingBlocked: boolean;
}

export interface VerifyOptions {
  /** Used if `settings` have an address of their own; otherwise the hosts tell. */
  readonly environment: 'paper' | 'live';
  readonly fetch: typeof fetch;
  /** Milliseconds (default 10,000). */
  readonly timeoutMs?: number;
}

/* Only the kind of failure is told: a library's words may quote a header. */

export function wrongCredentials(label: string, noun: string, hint: string): TradeAgentError {
  return new TradeAgentError('broker_rejected', `${label} does not know this ${noun}`, {
    hint,
    details: { reason: 'wrong_pair' },
  });
}

/** @param setting of gateway.yaml that may be wrong */
export function noAccount(host: string, what: string, setting?: string): TradeAgentError {
  return new TradeAgentError('broker_rejected', `${host} ${what}`, {
    hint:
      setting === undefined
        ? 'Look at the broker which account it is.'
        : `Is ${setting} in gateway.yaml the address of the broker’s API?`,
    details: { reason: 'no_account' },
  });
}

export function unreachable(host: string, kind: BrokerFailure['kind']): TradeAgentError {
  const what =
    kind === 'timeout'
      ? 'does not answer in time'
      : kind === 'unreachable'
        ? 'can’t be reached'
        : 'answers with an error';
  return new TradeAgentError('broker_unreachable', `${host} ${what}`, {
    hint: 'Nothing was kept. Check the network, and try again in a moment.',
    details: { reason: 'unreachable' },
  });
}
