import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { defined } from '../../values/defined.ts';
import { waitAtMost } from '../alarm.ts';
import {
  ABORT_GRACE_MS,
  FIRST_RETRY_DELAY_SECONDS,
  HEARTBEAT_INTERVAL_MS,
  HEARTBEAT_TIMEOUT_SECONDS,
  type JobHandler,
  type JobKind,
  jobTimeLimitSeconds,
  RETRY_LIMIT,
} from '../job-queue.ts';
import type { JobLimits, jobsOfKey, WorkflowActivities } from './key-workflow.ts';
import type { JobOutbox } from './outbox.ts';
import type { HandOverJobs } from './relay.ts';
import {
  type Connection,
  type ConnectionOptions,
  loadTemporal,
  type TemporalSdk,
  type TemporalWorker,
  type WorkflowBundle,
} from './temporal-sdk.ts';

/** How long Temporal may take to accept a job, in milliseconds. */
const ACCEPT_TIMEOUT_MS = 10_000;
/** How long to wait for a server that is still starting, in milliseconds. */
const MAX_START_WAIT_MS = 60_000;
const RETRY_MS = 1_000;
/** How long outcomes may take to reach Temporal when the queue closes, in milliseconds. */
const CLOSE_TIMEOUT_MS = 5_000;
/**
 * Timeout of a workflow task, which normally takes milliseconds. After the timeout, the task of a suspended worker goes
 * to another worker.
 */
const STEP_TIMEOUT = '3s';
const WORKFLOW: (typeof jobsOfKey)['name'] = 'jobsOfKey';

interface TemporalOptions {
  readonly connection: ConnectionOptions;
  readonly namespace: string;
  readonly tenant: string;
  readonly outbox: JobOutbox;
  readonly heard: (error: unknown) => void;
}

export type Temporal = Awaited<ReturnType<typeof openTemporal>>;

/**
 * Connects this process to Temporal, to hand over jobs and to process jobs of some kinds.
 * @throws {TradeAgentError} `invalid_config` if Temporal's libraries are missing, or its server does not respond within
 *   a minute
 */
export async function openTemporal(options: TemporalOptions) {
  const { namespace, tenant, heard } = options;
  const sdk = loadTemporal((message) => heard(new TradeAgentError('internal', `Temporal: ${message}`)));
  const connection = await connectTemporal(sdk, options.connection);
  const client = new sdk.client.Client({ connection, namespace });
  const bundle = await bundleWorkflow(sdk);
  const doing: { attempts: Attempts; worker: Awaited<ReturnType<typeof runWorker>> }[] = [];
  const queueOf = (kind: JobKind) => `trade-agent/${tenant}/${kind}`;
  return {
    async handOver({ kind, key }: Parameters<HandOverJobs>[0], ids: readonly number[]): Promise<void> {
      const limits: JobLimits = {
        expireInSeconds: jobTimeLimitSeconds[kind],
        heartbeatSeconds: HEARTBEAT_TIMEOUT_SECONDS,
        retrySeconds: FIRST_RETRY_DELAY_SECONDS,
      };
      await connection.withDeadline(Date.now() + ACCEPT_TIMEOUT_MS, () =>
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
      const attempts = createAttempts({ ...options, handler, sdk });
      const make = () =>
        sdk.worker.Worker.create({
          connection,
          namespace,
          taskQueue: queueOf(kind),
          workflowBundle: bundle,
          activities: attempts.activities,
          maxConcurrentActivityTaskExecutions: concurrency,
          // No cache and few polls: a suspended worker may be given a task for each of its polls, and each of these
          // tasks waits for the task timeout.
          maxCachedWorkflows: 0,
          maxConcurrentWorkflowTaskPolls: 2,
          maxHeartbeatThrottleInterval: HEARTBEAT_INTERVAL_MS,
          defaultHeartbeatThrottleInterval: HEARTBEAT_INTERVAL_MS,
          // `Attempts` ends running jobs in time.
          shutdownGraceTime: '1 day',
        });
      doing.push({ attempts, worker: await runWorker(make, heard) });
    },
    /** Stops taking jobs. Jobs in progress are finished or given back. */
    async drain(drainMs: number): Promise<void> {
      for (const { worker } of doing) worker.stop();
      await Promise.all(doing.map(({ attempts }) => attempts.close(drainMs)));
      // A worker that can't reach Temporal would retry forever.
      await waitAtMost(CLOSE_TIMEOUT_MS, Promise.all(doing.map(({ worker }) => worker.ended)));
    },
    close: () => connection.close().catch(heard),
  };
}

/**
 * Runs a worker, and restarts it until it is stopped, because a worker that Temporal rejects ends without being
 * stopped.
 */
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

async function connectTemporal(sdk: TemporalSdk, options: ConnectionOptions): Promise<Connection> {
  const until = Date.now() + MAX_START_WAIT_MS;
  for (;;) {
    try {
      return await sdk.worker.NativeConnection.connect(options);
    } catch (cause) {
      if (Date.now() > until)
        throw new TradeAgentError('invalid_config', `Temporal does not answer at ${options.address}`, {
          hint: 'Check that Temporal runs at this address, and check "jobs" in server.yaml.',
          cause,
        });
    }
    await sleep(RETRY_MS);
  }
}

let bundling: Promise<WorkflowBundle> | undefined;

/** Bundles the workflow and its library with Temporal's bundler, once in each process. */
function bundleWorkflow({ worker, workflowLibrary }: TemporalSdk): Promise<WorkflowBundle> {
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

type Attempts = ReturnType<typeof createAttempts>;

interface AttemptsOptions {
  readonly outbox: Pick<JobOutbox, 'begin' | 'giveBack' | 'done' | 'bury'>;
  readonly handler: JobHandler;
  readonly sdk: Pick<TemporalSdk, 'activity'>;
  readonly heard: (error: unknown) => void;
}

/**
 * Returns the workflow's activities. Each attempt is counted in the job's row when it begins, so a database outage does
 * not use up attempts: Temporal retries until the job is done or dead.
 */
function createAttempts({ outbox, handler, sdk, heard }: AttemptsOptions) {
  const { Context, ApplicationFailure } = sdk.activity;
  const running = new Set<Promise<unknown>>();
  let isClosing = false;
  /**
   * `closing` aborts at the end of the drain time, and `leaving` after the extra time for jobs that ignore `closing`.
   */
  const [closing, leaving] = [new AbortController(), new AbortController()];
  const left = new Promise<never>((_, reject) => {
    leaving.signal.addEventListener('abort', () => reject(leaving.signal.reason), { once: true });
  });
  left.catch(() => undefined);

  /** Returns a failure for Temporal that contains only the error's code. */
  const failure = (code: string, nextRetryDelay?: number) => {
    const failed = ApplicationFailure.create({ message: code, type: code, ...defined({ nextRetryDelay }) });
    failed.stack = '';
    return failed;
  };
  const givenBack = () => failure('given_back', 1);

  const failed = async (id: number, tries: number, error: unknown): Promise<void> => {
    if (closing.signal.aborted) {
      await outbox.giveBack(id);
      throw givenBack();
    }
    heard(error);
    const code = isTradeAgentError(error) ? error.code : 'internal';
    if (tries <= RETRY_LIMIT) throw failure(code);
    await outbox.bury(id, code);
  };
  const attempt = async (id: number): Promise<void> => {
    if (isClosing) throw givenBack();
    const context = Context.current();
    const { cancellationSignal: lost } = context;
    const signal = AbortSignal.any([lost, closing.signal]);
    const begun = await outbox.begin(id);
    if (begun === undefined) return;
    const { job, tries } = begun;
    if (tries > RETRY_LIMIT + 1) return await outbox.bury(id, 'lost');
    const alive = setInterval(() => context.heartbeat(), HEARTBEAT_INTERVAL_MS);
    try {
      const working = handler(job, signal);
      await Promise.race([working, left]);
    } catch (error) {
      // Another worker has the job now, so this attempt does not report its outcome.
      if (lost.aborted) throw error;
      return await failed(id, tries, error);
    } finally {
      clearInterval(alive);
    }
    lost.throwIfAborted();
    await outbox.done(id);
  };
  return {
    activities: {
      attempt(id: number) {
        const attempted = attempt(id).catch((error: unknown) => {
          if (error instanceof ApplicationFailure) throw error;
          heard(error);
          throw failure('internal');
        });
        const ended = attempted.catch(() => undefined).finally(() => running.delete(ended));
        running.add(ended);
        return attempted;
      },
    } satisfies WorkflowActivities,
    /**
     * Waits for jobs in progress, and gives back those that don't end in time. The caller has already stopped new jobs.
     */
    async close(drainMs: number): Promise<void> {
      isClosing = true;
      const all = () => Promise.all(running);
      await waitAtMost(drainMs, all());
      closing.abort();
      await waitAtMost(ABORT_GRACE_MS, all());
      leaving.abort();
      await all();
    },
  };
}
