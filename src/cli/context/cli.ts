import type { ThemeName } from '../../config/theme-name.ts';
import type { Clock } from '../../machine/clock.ts';
import type { Interruption } from '../terminal/interruption.ts';
import type { Io } from '../terminal/io.ts';
import type { OutputFormat } from './output.ts';

/** What the program is given by its surroundings; tests give it others. */
export interface Cli {
  readonly io: Io;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** For addresses whose path may be a secret: the log has the host alone. `fetch` where nothing is logged. */
  readonly discreetFetch?: typeof fetch;
  readonly interruption: Interruption;
  /** What the command that ran decided; `execute` returns it. */
  exitCode: number;
}

/** Options every command takes, before or after its name. */
export interface GlobalOptions {
  readonly profile?: string;
  /** The address of a server, in the place of a profile. */
  readonly server?: string;
  /** One of the person's accounts, as they call it. */
  readonly account?: string;
  readonly output: OutputFormat;
  /** An expression of jq's over the result; means JSON. */
  readonly jq?: string;
  /** Milliseconds after which the command ends, whatever it waits for. */
  readonly timeout?: number;
  /** Tells on stderr what goes into the log file too. */
  readonly verbose?: boolean;
  /** Colours by name. */
  readonly theme?: ThemeName;
}
