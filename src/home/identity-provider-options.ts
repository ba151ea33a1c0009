import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Keys } from '../approval/keys/keys.ts';
import type { IsRevoked } from '../gateway/door/token-verifier.ts';
import type { Clock } from '../machine/clock.ts';
import type { RefreshTokenReuse } from '../store/home/oidc-store.ts';
import type { Fill } from './fills/fill.ts';
import type { OrderNews } from './fills/order-news.ts';
import type { Company } from './identity-provider/companies/company.ts';
import type { Revoked } from './identity-provider/grants.ts';
import type { ProtocolOptions } from './identity-provider/oidc-provider.ts';
import type { CompanyStanding, Signalled } from './identity-provider/signals/company-standing.ts';
import type { SignalReceiver } from './identity-provider/transmitter/transmitter.ts';
import type { DashboardData } from './phone/dashboard/dashboard-data.ts';
import type { NumberMatching } from './phone/decision/approval-steps.ts';
import type { HomeAbout } from './phone/page/browser-env.ts';
import type { Halting, Mandating } from './phone/phone-services.ts';
import type { PushOptions } from './phone/push/phone-push.ts';

export interface IdentityProviderOptions extends ProtocolOptions {
  /** Its tables exist: `prepareHomeDatabase`. */
  readonly database: Database;
  readonly about: HomeAbout;
  readonly phonePairingSecret: string;
  /** Notified when a person's sign-in here ends, or their passkeys change (Shared Signals). */
  readonly signalReceivers?: readonly SignalReceiver[] | undefined;
  /** By user name: lets the terminal phone stand in for their browser where an account is to be connected. */
  readonly thirdPartyPasswords?: Readonly<Record<string, string>>;
  /** When the terminal's code is picked among three rather than shown; `live` unless said otherwise. */
  readonly numberMatching?: NumberMatching;
  /** Must tell the system's time, which oidc-provider reads by itself; its `sleep` is what long polls wait on. */
  readonly clock?: Clock;
  /** The client's address, for limits; from `net/trusted-proxy.ts` by default. */
  readonly clientAddress?: (request: IncomingMessage) => string;
  /** Whether a refresh token whose answer was lost may be used again; `never` by default. */
  readonly refreshTokenReuse?: RefreshTokenReuse;
  /** Called after somebody has lost access, to end what was begun under it. */
  readonly onRevoked?: (who: Revoked) => Promise<void>;
  /** Called after a company's signal is kept, to end what it takes back elsewhere. */
  readonly onSignalled?: (() => void) | undefined;
  readonly push?: PushOptions;
  readonly keys: Keys;
  /** Stops trading for a person; without it the phone has no page for that, and the same for the next two. */
  readonly halting?: Halting;
  readonly mandating?: Mandating;
  readonly dashboards?: ((sub: string) => DashboardData) | undefined;
  /** Whether an approval must be signed by one of `keys`; `off` by default. */
  readonly signatures?: 'required' | 'off';
  /** Never gets a token. */
  readonly onError?: (message: string) => void;
}

export interface IdentityProvider {
  readonly callback: (request: IncomingMessage, response: ServerResponse) => void;
  /** Whether an access token was not issued here, or what it was issued under has ended. */
  readonly isRevoked: IsRevoked;
  /**
   * Ends whatever acts for a person who was removed: sessions, grants, tokens, clients, questions, what rings,
   * and the recovery code. Safe to repeat.
   */
  endPerson(sub: string): Promise<void>;
  /** Tells a person what was filled of an order of theirs. Rejects where closing cut it off. */
  tellFill(fill: Fill): Promise<void>;
  /** Tells a person about an order that they did not expect. Rejects where closing cut it off. */
  tellOrder(news: OrderNews): Promise<void>;
  /** What companies' signals have taken back, and of which not everything has ended yet. */
  readonly signals: Pick<CompanyStanding, 'isTakenBack' | 'unended' | 'ended'>;
  /** Tells a person what a signal took back. Rejects where closing cut it off. */
  tellSignalled(signalled: Signalled, company: Company | undefined): Promise<void>;
  /** How many polls the token endpoint is holding for a CIBA request. */
  readonly heldPolls: (authReqId: string) => number;
  /** Ends what waits (long polls, event streams); the database stays open. */
  close(): Promise<void>;
}
