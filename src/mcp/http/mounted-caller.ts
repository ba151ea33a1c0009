import type { Clock } from '../../machine/clock.ts';
import type { Environment } from '../../trading/order.ts';
import type { McpServerOptions } from '../server/server-options.ts';

/** The authenticated caller (`Mount` in gateway/mounts). */
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
  readonly environment: Environment;
  /** Path of the page where users connect accounts. Absent if no account can be connected. */
  readonly connectPath?: `/${string}`;
  /** How long a response may wait for a decision, in milliseconds. Defaults to 20 s. */
  readonly holdMs?: number;
}
