import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { TradeAgentError } from '../../errors/errors.ts';

/*
 * The parts of Temporal's libraries that are used here. The libraries contain native code (260 MB for all platforms),
 * so they are installed separately: https://typescript.temporal.io/api
 */

export interface TemporalSdk {
  readonly worker: {
    readonly Runtime: { install(options: object): unknown };
    readonly DefaultLogger: new (level: 'ERROR', write: (entry: { readonly message: string }) => void) => object;
    readonly NativeConnection: { connect(options: ConnectionOptions): Promise<Connection> };
    readonly Worker: { create(options: WorkerOptions): Promise<TemporalWorker> };
    bundleWorkflowCode(options: {
      readonly workflowsPath: string;
      readonly logger?: object;
      readonly webpackConfigHook?: (config: WebpackConfig) => WebpackConfig;
    }): Promise<WorkflowBundle>;
  };
  readonly client: {
    readonly Client: new (options: { connection: Connection; namespace: string }) => TemporalClient;
  };
  readonly activity: {
    readonly Context: { current(): ActivityContext };
    readonly ApplicationFailure: (abstract new (
      ...args: never[]
    ) => Error) & {
      create(options: { message: string; type: string; nextRetryDelay?: number }): Error;
    };
  };
  /** The folder of Temporal's workflow library, for the bundler. */
  readonly workflowLibrary: string;
}

export interface ConnectionOptions {
  readonly address: string;
  readonly tls: boolean | TlsOptions;
  readonly apiKey?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

interface TlsOptions {
  readonly serverRootCACertificate?: Buffer;
  readonly serverNameOverride?: string;
  readonly clientCertPair?: { readonly crt: Buffer; readonly key: Buffer };
}

export interface Connection {
  withDeadline<T>(deadline: number, work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

interface WorkerOptions {
  readonly connection: Connection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly workflowBundle: WorkflowBundle;
  readonly activities: object;
  readonly maxConcurrentActivityTaskExecutions: number;
  readonly maxConcurrentWorkflowTaskPolls: number;
  readonly maxCachedWorkflows: number;
  readonly maxHeartbeatThrottleInterval: number;
  readonly defaultHeartbeatThrottleInterval: number;
  readonly shutdownGraceTime: string;
}

export interface TemporalWorker {
  /** Resolves when the worker has been shut down and its jobs have ended. */
  run(): Promise<void>;
  shutdown(): void;
}

interface TemporalClient {
  readonly workflow: {
    signalWithStart(
      workflow: string,
      options: {
        readonly workflowId: string;
        readonly taskQueue: string;
        readonly args: readonly unknown[];
        readonly signal: string;
        readonly signalArgs: readonly unknown[];
        readonly workflowTaskTimeout: string;
      },
    ): Promise<unknown>;
  };
}

interface ActivityContext {
  readonly info: { readonly attempt: number };
  readonly cancellationSignal: AbortSignal;
  heartbeat(): void;
}

export interface WorkflowBundle {
  readonly code: string;
}

interface WebpackConfig {
  readonly resolve?: { readonly alias?: object };
}

const INSTALL = 'npm install @temporalio/worker@1.24';

let loaded: TemporalSdk | undefined;

/**
 * Loads Temporal's libraries.
 * @param heard receives the libraries' log lines, which contain neither jobs nor error messages
 * @throws {TradeAgentError} `invalid_config` if the libraries are not installed, or not for this platform
 */
export function loadTemporal(heard: (message: string) => void): TemporalSdk {
  if (loaded !== undefined) return loaded;
  const entry = resolveSdk();
  const load = createRequire(entry);
  let sdk: TemporalSdk;
  try {
    sdk = {
      worker: load(entry),
      client: load('@temporalio/client'),
      activity: load('@temporalio/activity'),
      workflowLibrary: dirname(load.resolve('@temporalio/workflow/package.json')),
    };
  } catch (cause) {
    throw new TradeAgentError('invalid_config', 'Temporal’s libraries are installed, but can’t be loaded', {
      hint: `On Linux, they need glibc. Reinstall them next to trade-agent: ${INSTALL}`,
      cause,
    });
  }
  const { Runtime, DefaultLogger } = sdk.worker;
  // This program handles signals itself.
  Runtime.install({
    shutdownSignals: [],
    logger: new DefaultLogger('ERROR', ({ message }) => heard(message)),
    telemetryOptions: { logging: { forward: {}, filter: 'off' } },
  });
  loaded = sdk;
  return sdk;
}

function resolveSdk(): string {
  try {
    return createRequire(import.meta.url).resolve('@temporalio/worker');
  } catch {
    throw new TradeAgentError('invalid_config', 'Temporal’s libraries are not installed', {
      hint: `Install them next to trade-agent, with -g if trade-agent is installed globally: ${INSTALL}`,
    });
  }
}
