import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TradeAgentError } from '../../errors/errors.ts';
import { within } from '../alarm.ts';
import type { JobHandler, JobKind } from '../job-queue.ts';
import { expireInSeconds, HEARTBEAT_SECONDS, RENEW_MS, RETRY_SECONDS } from '../job-queue.ts';
import { type Attempts, attemptsAt } from './attempts.ts';
import type { jobsOfKey, KeyLimits } from './key-workflow.ts';
import type { Outbox } from './outbox.ts';
import type { HandOver } from './relay.ts';
import {
  type Connection,
  type ConnectionOptions,
  loadTemporal,
  type TemporalSdk,
  type TemporalWorker,
  type WorkflowBundle,
} from './temporal-sdk.ts';

/** Temporal's time limit to accept a job. */
const ANSWER_MS = 10_000;
/** How long to wait for a server that is starting. */
const START_MS = 60_000;
const RETRY_MS = 1_000;
/** How long outcomes may take to reach Temporal when closing. */
const LEAVE_MS = 5_000;
/** A workflow task takes milliseconds: one given to a suspended worker goes to another after this. */
const STEP_TIMEOUT = '3s';
/** The name in `key-workflow.ts`. */
const WORKFLOW: (typeof jobsOfKey)['name'] = 'jobsOfKey';

interface TemporalOptions {
  readonly connection: ConnectionOptions;
  readonly namespace: string;
  readonly tenant: string;
  readonly outbox: Outbox;
  readonly heard: (error: unknown) => void;
}

export type Temporal = Awaited<ReturnType<typeof openTemporal>>;

/**
 * This process's connection to Temporal: it hands jobs over, and does those of some kinds.
 * @throws {TradeAgentError} `invalid_config` where its libraries are missing, or it does not answer within a minute
 */
export async function openTemporal(options: TemporalOptions) {
  const { namespace, tenant, heard } = options;
  const sdk = loadTemporal((message) => heard(new TradeAgentError('internal', `Temporal: ${message}`)));
  const connection = await connected(sdk, options.connection);
  const client = new sdk.client.Client({ connection, namespace });
  const bundle = await bundled(sdk);
  const doing: { attempts: Attempts; worker: Awaited<ReturnType<typeof runWorker>> }[] = [];
  const queueOf = (kind: JobKind) => `trade-agent/${tenant}/${kind}`;
  return {
    async handOver({ kind, key }: Parameters<HandOver>[0], ids: readonly number[]): Promise<void> {
      const limits: KeyLimits = {
        expireInSeconds: expireInSeconds[kind],
        heartbeatSeconds: HEARTBEAT_SECONDS,
        retrySeconds: RETRY_SECONDS,
      };
      await connection.withDeadline(Date.now() + ANSWER_MS, () =>
        client.workflow.signalWithStart(WORKFLOW, {
          workflowId: `${queueOf(kind)}/${key}`,
          taskQueue: queueOf(kind),
          args: [limits],
          signal: 'enqueued',
          signalArgs: [ids],
          workflowTaskTimeout: STEP_TIMEOUT,
        }),
      );
    },
    async work(kind: JobKind, handler: JobHandler, concurrency: number): Promise<void> {
      const attempts = attemptsAt({ ...options, handler, sdk });
      const make = () =>
        sdk.worker.Worker.create({
          connection,
          namespace,
          taskQueue: queueOf(kind),
          workflowBundle: bundle,
          activities: attempts.activities,
          maxConcurrentActivityTaskExecutions: concurrency,
          // No cache and few polls: what a suspended worker is given waits for the task timeout, and may be given to
          // it once per poll.
          maxCachedWorkflows: 0,
          maxConcurrentWorkflowTaskPolls: 2,
          maxHeartbeatThrottleInterval: RENEW_MS,
          defaultHeartbeatThrottleInterval: RENEW_MS,
          // `Attempts` ends running jobs in time.
          shutdownGraceTime: '1 day',
        });
      doing.push({ attempts, worker: await runWorker(make, heard) });
    },
    /** Takes no more jobs, and ends or gives back those running. */
    async drain(drainMs: number): Promise<void> {
      for (const { worker } of doing) worker.stop();
      await Promise.all(doing.map(({ attempts }) => attempts.close(drainMs)));
      // A worker that can't reach Temporal would retry forever.
      await within(LEAVE_MS, Promise.all(doing.map(({ worker }) => worker.ended)));
    },
    close: () => connection.close().catch(heard),
  };
}

/** Restarts the worker until it is stopped: one that Temporal refuses ends. */
async function runWorker(make: () => Promise<TemporalWorker>, heard: (error: unknown) => void) {
  const closing = new AbortController();
  let worker = await make();
  const stop = () => {
    closing.abort();
    worker.shutdown();
  };
  const run = async () => {
    while (!closing.signal.aborted) {
      try {
        await worker.run();
        if (closing.signal.aborted) return;
      } catch (error) {
        heard(error);
      }
      await sleep(RETRY_MS, undefined, { signal: closing.signal }).catch(() => undefined);
      if (!closing.signal.aborted) worker = await make();
    }
  };
  return { stop, ended: run().catch(heard) };
}

async function connected(sdk: TemporalSdk, options: ConnectionOptions): Promise<Connection> {
  const until = Date.now() + START_MS;
  for (;;) {
    try {
      return await sdk.worker.NativeConnection.connect(options);
    } catch (cause) {
      if (Date.now() > until)
        throw new TradeAgentError('invalid_config', `Temporal does not answer at ${options.address}`, {
          hint: 'Look whether it runs there, and at "jobs" in server.yaml.',
          cause,
        });
    }
    await sleep(RETRY_MS);
  }
}

let bundling: Promise<WorkflowBundle> | undefined;

/** Once per process: Temporal's bundler packs the workflow and its library. */
function bundled({ worker, workflowLibrary }: TemporalSdk): Promise<WorkflowBundle> {
  const name = import.meta.url.endsWith('.ts') ? './key-workflow.ts' : './key-workflow.js';
  bundling ??= worker.bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL(name, import.meta.url)),
    logger: new worker.DefaultLogger('ERROR', () => undefined),
    webpackConfigHook: (config) => ({
      ...config,
      resolve: {
        ...config.resolve,
        alias: { ...config.resolve?.alias, '@temporalio/workflow': workflowLibrary },
      },
    }),
  });
  return bundling;
}
