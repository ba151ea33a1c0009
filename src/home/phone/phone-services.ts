import type { Clock } from '../../machine/clock.ts';
import type { TradingStateSnapshot } from '../../store/halts.ts';
import type { AuthorizedClientStore } from '../../store/home/authorized-clients.ts';
import type { RecoveryCodeStore } from '../../store/home/recovery-codes.ts';
import type { RegisteredClientStore } from '../../store/home/registered-clients.ts';
import type { MandateView } from '../../trading/mandate/mandate.ts';
import type { Consents } from '../identity-provider/authorization/consents.ts';
import type { ConnectionRequests } from '../identity-provider/connection-requests.ts';
import type { DeviceCodes } from '../identity-provider/device-codes.ts';
import type { Grants } from '../identity-provider/grants.ts';
import type { RequestLimits } from '../identity-provider/protocol/request-limits.ts';
import type { SignedGrants } from '../identity-provider/signed-grants.ts';
import type { DashboardData } from './dashboard/dashboard-data.ts';
import type { DecisionServices } from './decision/approval-steps.ts';
import type { BrowserServices } from './page/browser.ts';
import type { PhonePush } from './push/phone-push.ts';

export interface HaltControl {
  /** Returns a person's trading state, or undefined if it is unknown. */
  trading(sub: string): Promise<TradingStateSnapshot | undefined>;
  halt(sub: string): Promise<void>;
}

export interface MandateControl {
  /** Lists the mandates, newest first. */
  list(sub: string): Promise<MandateView[]>;
  /** Suspends or revokes a mandate. A mandate that has already ended stays unchanged. */
  end(sub: string, id: string, to: 'suspended' | 'revoked'): Promise<void>;
}

export interface PhoneServices extends BrowserServices, DecisionServices {
  readonly recovery: RecoveryCodeStore;
  /** Undefined if the provider runs without a gateway. */
  readonly halting?: HaltControl | undefined;
  readonly mandating?: MandateControl | undefined;
  readonly dashboards?: ((sub: string) => DashboardData) | undefined;
  readonly ownerWarning?: (() => string | undefined) | undefined;
  readonly deviceCodes: DeviceCodes;
  readonly consents: Consents;
  readonly signed: SignedGrants;
  readonly authorized: Pick<AuthorizedClientStore, 'list'> & {
    /** Immediately ends a client's access for this user, including its tokens, open proposals and streams. */
    end(user: string, clientId: string): Promise<void>;
  };
  readonly limits: RequestLimits;
  readonly grants: Grants;
  readonly clients: RegisteredClientStore;
  readonly connections: ConnectionRequests;
  /**
   * The users' passwords for third parties. The sandbox's simulated phone uses the passwords to connect accounts
   * without a browser.
   */
  readonly thirdPartyPasswords: Readonly<Record<string, string>>;
  readonly pairingSecret: string;
  readonly push: PhonePush;
  readonly clock: Clock;
  /** Aborts when the server shuts down, so that waiting requests don't delay the shutdown. */
  readonly closing: AbortSignal;
  /** Reports internal errors. The message never contains a token. */
  readonly onError: (message: string) => void;
}

/** Resolves on the next change to the user's requests, after `ms` milliseconds, or on an abort. Never rejects. */
export async function waitForRequestChange(
  services: PhoneServices,
  user: string,
  ms: number,
  signal?: AbortSignal,
): Promise<void> {
  const changed = new AbortController();
  const unsubscribe = services.requests.onChange(user, () => changed.abort());
  const stop = AbortSignal.any([changed.signal, services.closing, ...(signal === undefined ? [] : [signal])]);
  try {
    await services.clock.sleep(ms, stop);
  } catch {
    // The caller checks the state itself, so it doesn't matter what ended the wait.
  } finally {
    unsubscribe();
    // Cancels the clock's timer if another signal ended the wait.
    changed.abort();
  }
}
