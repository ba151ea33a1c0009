import { TradeAgentError } from '../../errors/errors.ts';
import type { BrokerFailure } from './broker-failure.ts';

export interface VerifiedAccount {
  readonly accountNumber: string;
  readonly environment: 'paper' | 'live';
  /** The broker's own status, such as `ACTIVE`. */
  readonly status: string;
  readonly tradingBlocked: boolean;
}

export interface VerifyCredentialsOptions {
  /** The environment, if the address is overridden. If not, the host that accepts the credentials determines it. */
  readonly environment: 'paper' | 'live';
  readonly fetch: typeof fetch;
  /** Timeout in milliseconds (default 10,000). */
  readonly timeoutMs?: number;
}

/* The errors report only the kind of failure, because a library's message may quote a header. */

export function wrongCredentialsError(label: string, noun: string, hint: string): TradeAgentError {
  return new TradeAgentError('broker_rejected', `${label} does not recognize this ${noun}`, {
    hint,
    details: { reason: 'wrong_pair' },
  });
}

/** @param what a verb phrase whose subject is `host` @param setting the setting in gateway.yaml that may be wrong */
export function accountNotVerifiedError(host: string, what: string, setting?: string): TradeAgentError {
  return new TradeAgentError('broker_rejected', `${host} ${what}`, {
    hint:
      setting === undefined
        ? 'Check at the broker which account these credentials are for.'
        : `Check that ${setting} in gateway.yaml is the address of the broker’s API.`,
    details: { reason: 'no_account' },
  });
}

export function brokerUnreachableError(host: string, kind: BrokerFailure['kind']): TradeAgentError {
  const what =
    kind === 'timeout' ? 'did not respond in time' : kind === 'unreachable' ? 'can’t be reached' : 'returned an error';
  return new TradeAgentError('broker_unreachable', `${host} ${what}`, {
    hint: 'Nothing was saved. Check the network, and try again in a moment.',
    details: { reason: 'unreachable' },
  });
}
