import type { ThemeName } from '../../config/theme-name.ts';
import type { Clock } from '../../machine/clock.ts';
import type { Interruption } from '../terminal/interruption.ts';
import type { Io } from '../terminal/io.ts';
import type { OutputFormat } from './output.ts';

export interface Cli {
  readonly io: Io;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** Like `fetch`, but logs only the host, because the path may be a secret. Absent if logging is off. */
  readonly redactedFetch?: typeof fetch;
  readonly interruption: Interruption;
  exitCode: number;
}

export interface GlobalOptions {
  readonly profile?: string;
  readonly server?: string;
  readonly account?: string;
  readonly output: OutputFormat;
  /** A jq expression for filtering the result. Implies JSON output. */
  readonly jq?: string;
  readonly timeout?: number;
  readonly verbose?: boolean;
  readonly theme?: ThemeName;
}
