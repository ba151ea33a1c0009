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
  /** Its tables are there: `prepareHomeDatabase`. */
  readonly database: Database;
  /** What the pages say of the home they belong to. */
  readonly about: HomeAbout;
  /** Authenticates the terminal phone. */
  readonly phonePairingSecret: string;
  /** Who is told when a person's sign-in here ends, or their passkeys change (Shared Signals). */
  readonly signalReceivers?: readonly SignalReceiver[] | undefined;
  /** By user name: lets the terminal phone stand in for their browser where an account is to be connected. */
  readonly thirdPartyPasswords?: Readonly<Record<string, string>>;
  /** When the terminal's code is picked among three rather than shown; `live` unless said otherwise. */
  readonly numberMatching?: NumberMatching;
  /** Must tell the system's time: oidc-provider reads that by itself. Its `sleep` is what long polls wait on. */
  readonly clock?: Clock;
  /** Whose request it is, for limits; as the server tells of it (src/net/trusted-proxy.ts) unless said otherwise. */
  readonly clientAddress?: (request: IncomingMessage) => string;
  /** Whether a refresh token whose answer was lost may be used again; `never` unless said otherwise. */
  readonly refreshTokenReuse?: RefreshTokenReuse;
  /** Told when somebody may no longer do what they could, after it is so: what was begun by it is to end, too. */
  readonly onRevoked?: (who: Revoked) => Promise<void>;
  /** Told after a company's signal is kept: what it takes back elsewhere is to end. */
  readonly onSignalled?: (() => void) | undefined;
  /** How people's phones ring. */
  readonly push?: PushOptions;
  /** What people approve with, and sign in by. */
  readonly keys: Keys;
  /** Stops trading for a person; without it the phone has no page for that. */
  readonly halting?: Halting;
  /** Mandates of the gateway behind it. */
  readonly mandating?: Mandating;
  /** What is a person's own there, for the page that shows it; absent as above. */
  readonly dashboards?: ((sub: string) => DashboardData) | undefined;
  /** Whether an approval must be signed by one of them; `off` unless said otherwise. */
  readonly signatures?: 'required' | 'off';
  /** Told of what went wrong inside; never holds a token. */
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
