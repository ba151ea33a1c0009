import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApprovalKeys } from '../approval/keys/approval-keys.ts';
import type { IsTokenRevoked } from '../gateway/auth/token-verifier.ts';
import type { Clock } from '../machine/clock.ts';
import type { RefreshTokenReusePolicy } from '../store/home/oidc-store.ts';
import type { OtherProcesses } from '../store/other-processes.ts';
import type { SqlTransactions } from '../store/sql/sql-database.ts';
import type { Fill } from './fills/fill.ts';
import type { OrderNews } from './fills/order-news.ts';
import type { Company } from './identity-provider/companies/company.ts';
import type { RevokedAccess } from './identity-provider/grants.ts';
import type { ProtocolOptions } from './identity-provider/oidc-provider.ts';
import type { CompanyRevocations, PendingSignal } from './identity-provider/signals/company-revocations.ts';
import type { SignalReceiver } from './identity-provider/transmitter/transmitter.ts';
import type { DashboardData } from './phone/dashboard/dashboard-data.ts';
import type { NumberMatching } from './phone/decision/approval-steps.ts';
import type { HomeDescription } from './phone/page/browser-env.ts';
import type { HaltControl, MandateControl } from './phone/phone-services.ts';
import type { PushOptions } from './phone/push/phone-push.ts';

export interface IdentityProviderOptions extends ProtocolOptions {
  readonly database: SqlTransactions;
  /** The other processes that use the database, if any. */
  readonly others?: OtherProcesses;
  readonly about: HomeDescription;
  readonly phonePairingSecret: string;
  /** Receivers of a signal when a person's sign-in to this home ends or their passkeys change (Shared Signals). */
  readonly signalReceivers?: readonly SignalReceiver[] | undefined;
  /**
   * Users' passwords for third parties, by user name. The sandbox's simulated phone uses the passwords to connect
   * accounts without a browser.
   */
  readonly thirdPartyPasswords?: Readonly<Record<string, string>>;
  /** When the phone shows three codes to choose from instead of the terminal's code. Defaults to `live`. */
  readonly numberMatching?: NumberMatching;
  /** For real money, the dollar amount from which Approve must be pressed and held, or `off`. Defaults to 1,000. */
  readonly holdAbove?: string | undefined;
  /**
   * Must return the system time, because oidc-provider reads the system clock directly. Long polls wait with this
   * clock's `sleep`.
   */
  readonly clock?: Clock;
  /** Returns the client's address for rate limits. Defaults to `clientAddress` in `net/trusted-proxy.ts`. */
  readonly clientAddress?: (request: IncomingMessage) => string;
  /** Whether a refresh token may be used again if its response was lost. Defaults to `never`. */
  readonly refreshTokenReuse?: RefreshTokenReusePolicy;
  /** Called after a person or client has lost access. Ends everything that was started with that access. */
  readonly onRevoked?: (who: RevokedAccess) => Promise<void>;
  /** Called after a company's signal is stored. Ends the access that the signal revokes in other databases. */
  readonly onSignalled?: (() => void) | undefined;
  readonly push?: PushOptions;
  readonly keys: ApprovalKeys;
  /** Halts trading for a person. If `halting`, `mandating` or `dashboards` is set, the phone has a page for it. */
  readonly halting?: HaltControl;
  readonly mandating?: MandateControl;
  readonly dashboards?: ((sub: string) => DashboardData) | undefined;
  /** Returns a warning for the phone's first page about a problem of the home that its owner should fix. */
  readonly ownerWarning?: (() => string | undefined) | undefined;
  /** Whether an approval must be signed with one of `keys`. Defaults to `off`. */
  readonly signatures?: 'required' | 'off';
  /** Reports an error message, which never contains a token. */
  readonly onError?: (message: string) => void;
}

export interface IdentityProvider {
  readonly callback: (request: IncomingMessage, response: ServerResponse) => void;
  /** Route patterns, such as `/phone/requests/:id`. */
  readonly routes: readonly string[];
  /** Returns whether an access token was not issued by this provider or belongs to an ended grant. */
  readonly isRevoked: IsTokenRevoked;
  /**
   * Ends a removed person's sessions, grants, clients, approval requests, push subscriptions and recovery code.
   * Idempotent.
   */
  endPerson(sub: string): Promise<void>;
  /** Notifies a person that one of their orders was filled. Rejects if interrupted by `close`. */
  notifyFill(fill: Fill): Promise<void>;
  /** Notifies a person about an unexpected order. Rejects if interrupted by `close`. */
  notifyOrder(news: OrderNews): Promise<void>;
  /** Lists access that companies' signals have revoked, and signals whose cleanup is not complete yet. */
  readonly signals: Pick<CompanyRevocations, 'isRevokedBySignal' | 'unended' | 'ended'>;
  /** Notifies a person about access that a signal revoked. Rejects if interrupted by `close`. */
  notifySignal(signalled: PendingSignal, company: Company | undefined): Promise<void>;
  /** Returns how many of a CIBA request's polls are waiting at the token endpoint. */
  readonly heldPolls: (authReqId: string) => number;
  /** Ends long polls and event streams. The database stays open. */
  close(): Promise<void>;
}
