import { detectProvider } from '../../auth/provider/dialects.ts';
import { getProviderMetadata } from '../../auth/provider/provider.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { createPublicFetch, createPublicResolver } from '../../net/outbound-client.ts';
import { createDataKeys } from '../../secrets/envelope/data-keys.ts';
import { createSecretSeal } from '../../secrets/envelope/secret-seal.ts';
import { openKms } from '../../secrets/kms/kms-settings.ts';
import { addAlertRoutes } from '../../server/http/alert-routes.ts';
import { addGatewayProxy } from '../../server/http/gateway-proxy.ts';
import { createNoticeRoutes } from '../../server/http/notice-routes.ts';
import { addScheduleRoutes } from '../../server/http/schedule-routes.ts';
import { findChannelProblem } from '../../server/jobs/notice-job.ts';
import type { ServerDeps } from '../../server/server-deps.ts';
import { type NoticeDeps, personNoticeChannels } from '../../server/server-deps.ts';
import { createTokenExchangeSessions } from '../../server/sessions/exchanging-sessions.ts';
import { type ServerSettings, toServerProfile } from '../../server/settings/server-settings.ts';
import type { RateLimit } from '../../store/rate-buckets.ts';
import type { App } from '../app.ts';
import { readDatabasePlace } from '../gateway/gateway-database.ts';
import type { ServerLog } from '../gateway/server-log.ts';
import { findNoticeChannel, type NoticeChannelSource, sendTestNotice } from '../notices/notice-place.ts';
import { readServerKey, type ServerPaths } from './server-places.ts';

/** Rate limit for polling the gateway about waiting runs, shared by all workers. */
const COLLECT_RATE: RateLimit = { perSecond: 50, burst: 100 };

/**
 * Opens the database, the job queue, and everything else that both servers and workers need.
 * @throws {TradeAgentError} `invalid_config`; `provider_unreachable`
 */
export async function openServer(
  settings: ServerSettings,
  places: ServerPaths & { readonly env: NodeJS.ProcessEnv },
  { clock, fetch, log }: Pick<App, 'clock' | 'fetch'> & { readonly log: Pick<ServerLog, 'error'> },
) {
  const { home, env } = places;
  const place = readDatabasePlace(settings.database, home, env);
  const { tenant } = place;
  const privateKey = readServerKey(places, settings);
  const kms = await openKms(settings.kms, { folder: home, env, fetch });
  const access = { fetch, clock, privateKey };
  const provider = detectProvider(await getProviderMetadata(settings.issuer, access));
  const store = await import('../../store/postgres/server-database.ts');
  const { openPgBossQueue } = await import('../../jobs/pg-boss/pg-boss-queue.ts');
  const database = await store.openServerDatabase(place);
  const jobs = await openPgBossQueue({
    address: place.direct ?? place.address,
    tenant,
    onError: (error) => log.error(`jobs: ${isTradeAgentError(error) ? error.message : errorName(error)}`),
  }).catch(async (error: unknown) => {
    await database.close();
    throw error;
  });
  const seal = createSecretSeal(
    createDataKeys(
      kms,
      store.postgresDataKeyRows(() => database),
      clock,
    ),
  );
  const news = store.postgresRunAnnouncements(database);
  const buckets = store.postgresRateBuckets(database);
  const credentials = (sub: string) => store.postgresCredentialStore({ database, sub, seal, clock });
  const sessions = createTokenExchangeSessions({
    profile: toServerProfile(settings, provider),
    access,
    clock,
    credentials,
  });
  const noticeResolve = createPublicResolver({ maxConcurrent: 4, maxQueued: 32 });
  const noticeFetch = createPublicFetch(noticeResolve);
  const notices: NoticeDeps = { database, jobs, clock, credentials, noticeFetch, noticeResolve };
  const parts: ServerDeps = {
    database,
    jobs,
    news,
    sessions,
    model: settings.model,
    clock,
    fetch,
    env,
    onError: log.error,
  };
  return {
    parts,
    due: store.postgresDueRuns(database),
    /** Waits until the rate limit, which all of the tenant's workers share, allows another request. */
    async paced() {
      for (let wait = 1; wait > 0; ) {
        wait = await buckets.take('collect', COLLECT_RATE, 1);
        if (wait > 0) await clock.sleep(wait);
      }
    },
    notices,
    routes: [addScheduleRoutes, addAlertRoutes, createNoticeRoutes(notices, sendPersonTestNotice), addGatewayProxy],
    async close() {
      await news.close();
      await jobs.close();
      await database.close();
    },
  };
}

const errorName = (error: unknown): string => (error instanceof Error ? error.name : typeof error);

/** Sends a test notice through one of a person's channels. @throws {TradeAgentError} `not_found`; `notice_failed` */
export async function sendPersonTestNotice(parts: NoticeDeps, person: string, name: string, signal: AbortSignal) {
  const place: NoticeChannelSource = {
    channels: () => personNoticeChannels(parts, person).all(),
    store: async () => parts.credentials(person),
    add: 'Add one with "trade-agent notices add NAME KIND".',
    command: 'trade-agent notices',
    testText: async (channel) =>
      `This is a test. "${channel}" will notify you of findings from your schedules on the server.`,
    testData: async () => ({}),
  };
  // Checked again, because the channel's host name may now resolve to another address.
  const problem = await findChannelProblem(await findNoticeChannel(place, name), parts.noticeResolve);
  if (problem !== undefined) throw new TradeAgentError('notice_failed', `${name}: ${problem.message}`);
  return await sendTestNotice(
    { clock: parts.clock, redactedFetch: parts.noticeFetch, env: {}, signal },
    place,
    name,
    parts.noticeResolve,
  );
}
