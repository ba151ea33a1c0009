import type { Clock } from '../../machine/clock.ts';
import type { TradingStanding } from '../../store/halts.ts';
import type { AuthorizedClients } from '../../store/home/authorized-clients.ts';
import type { RecoveryCodes } from '../../store/home/recovery-codes.ts';
import type { RegisteredClients } from '../../store/home/registered-clients.ts';
import type { MandateView } from '../../trading/mandate/mandate.ts';
import type { Consents } from '../identity-provider/authorization/consents.ts';
import type { ConnectionRequests } from '../identity-provider/connection-requests.ts';
import type { DeviceCodes } from '../identity-provider/device-codes.ts';
import type { Grants } from '../identity-provider/grants.ts';
import type { RequestLimits } from '../identity-provider/protocol/request-limits.ts';
import type { DashboardData } from './dashboard/dashboard-data.ts';
import type { DecisionServices } from './decision/approval-steps.ts';
import type { BrowserServices } from './page/browser.ts';
import type { PhonePush } from './push/phone-push.ts';

export interface Halting {
  /** How far their trading goes; undefined where that can't be told. */
  trading(sub: string): Promise<TradingStanding | undefined>;
  halt(sub: string): Promise<void>;
}

export interface Mandating {
  /** Newest first. */
  list(sub: string): Promise<MandateView[]>;
  /** One that is over stays so. */
  end(sub: string, id: string, to: 'suspended' | 'revoked'): Promise<void>;
}

export interface PhoneServices extends BrowserServices, DecisionServices {
  readonly recovery: RecoveryCodes;
  /** Undefined for a provider that has no gateway behind it. */
  readonly halting?: Halting | undefined;
  readonly mandating?: Mandating | undefined;
  readonly dashboards?: ((sub: string) => DashboardData) | undefined;
  readonly deviceCodes: DeviceCodes;
  readonly consents: Consents;
  readonly authorized: Pick<AuthorizedClients, 'list'> & {
    /** All at once: tokens, open proposals, streams. */
    end(user: string, clientId: string): Promise<void>;
  };
  readonly limits: RequestLimits;
  readonly grants: Grants;
  readonly clients: RegisteredClients;
  readonly connections: ConnectionRequests;
  /** The users' passwords at the third parties, for the phone that stands in for their browser. */
  readonly thirdPartyPasswords: Readonly<Record<string, string>>;
  readonly pairingSecret: string;
  readonly push: PhonePush;
  readonly clock: Clock;
  /** Aborts when the server closes, so that nothing that waits holds it open. */
  readonly closing: AbortSignal;
  /** Told of what went wrong inside; never holds a token. */
  readonly onError: (message: string) => void;
}

/** Resolves on the next change to the user's requests, after `ms`, or when a signal aborts. Never rejects. */
export async function nextChange(
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
    // Whatever ended the wait, the caller looks at the state itself.
  } finally {
    unsubscribe();
    // Ends the clock's timer where the wait was cut short by another signal.
    changed.abort();
  }
}
