import { TradeAgentError } from '../../errors/errors.ts';
import type { BrokerFailure } from './broker-failure.ts';

/** The account that a key pair opens. */
export interface VerifiedAccount {
  readonly accountNumber: string;
  /** By which of the broker's hosts took the pair. */
  readonly environment: 'paper' | 'live';
  /** The broker's own word: `ACTIVE`. */
  readonly status: string;
  /** The broker would take no order now. */
  readonly tradingBlocked: boolean;
}

export interface VerifyOptions {
  /** Which it is where `settings` name an address of their own; the broker's hosts tell by themselves. */
  readonly environment: 'paper' | 'live';
  readonly fetch: typeof fetch;
  /** One request, milliseconds (default 10,000). */
  readonly timeoutMs?: number;
}

/*
 * Why what a person gave opens no account, for `verifyCredentials`. Only what kind of failure it was: a library's words may
 * quote a header.
 */

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
