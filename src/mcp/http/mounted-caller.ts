import type { Clock } from '../../machine/clock.ts';
import type { Environment } from '../../trading/order.ts';
import type { McpServerOptions } from '../server/server-options.ts';

/** Whom the gateway has let in, as it tells of them (`Mount` in gateway/mounts). */
export interface MountedCaller {
  readonly sub: string;
  readonly clientId: string;
  readonly scopes: ReadonlySet<string>;
  readonly username?: string | undefined;
  readonly email?: string | undefined;
  readonly resource: string;
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

export interface ServeMcpOptions extends Pick<McpServerOptions, 'version' | 'readOnly'> {
  readonly clock: Clock;
  /** Of the accounts behind the gateway. */
  readonly environment: Environment;
  /** Where a person connects accounts elsewhere, at the gateway's own address; for homes, and for none that need no connecting. */
  readonly connectPath?: `/${string}`;
  /** Milliseconds; 20 s unless said otherwise. */
  readonly holdMs?: number;
}
