import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { agentOperations } from '../../../src/agent/remote/protocol.ts';
import { sendPersonTestNotice } from '../../../src/app/server/open-server.ts';
import { createPublicResolver } from '../../../src/net/outbound-client.ts';
import { READ_SCOPES } from '../../../src/oauth/scopes.ts';
import { addAlertRoutes } from '../../../src/server/http/alert-routes.ts';
import { createNoticeRoutes } from '../../../src/server/http/notice-routes.ts';
import { addScheduleRoutes } from '../../../src/server/http/schedule-routes.ts';
import { findChannelProblem } from '../../../src/server/jobs/notice-job.ts';
import { personSchedules, tenantSchedules } from '../../../src/server/server-deps.ts';
import type { PersonSessions } from '../../../src/server/sessions/person-sessions.ts';
import { problemSchema } from '../../../src/trading/views.ts';
import { blockJobsDatabase } from '../jobs/jobs-database.ts';
import { withPostgres } from '../support/database.ts';
import { type AskOptions, type HttpWorld, startHttpWorld, type TestServer } from './http-world.ts';
import { sealedCredentials } from './sealed-credentials.ts';
import { type ServerWorld, startServerWorld } from './server-world.ts';

withPostgres('schedules over HTTP', () => {
  const database = blockJobsDatabase();
  let http: HttpWorld;
  let world: ServerWorld;
  let server: TestServer;
  let offline: string[];
  let posted: string[];
  let answer: number;
  let sealed: Awaited<ReturnType<typeof sealedCredentials>>;
  beforeAll(async () => {
    [http, sealed] = await Promise.all([startHttpWorld(), sealedCredentials()]);
  });
  afterAll(async () => {
    await http.close();
    sealed.close();
  });
  beforeEach(async () => {
    world = await startServerWorld(database);
    offline = [];
    posted = [];
    answer = 200;
    server = await http.serve(world, {
      routes: [
        (app, door, parts) => {
          const sessions: PersonSessions = {
            ...parts.sessions,
            grantOffline: async ({ sub }) => void offline.push(`granted ${sub}`),
            revokeOffline: async (sub) => void offline.push(`ended ${sub}`),
          };
          addScheduleRoutes(app, door, { ...parts, sessions });
          addAlertRoutes(app, door, { ...parts, sessions });
        },
        (app, door, parts) =>
          createNoticeRoutes(
            {
              ...{ ...parts, credentials: sealed.of(parts.database) },
              noticeResolve: createPublicResolver(),
              noticeFetch: async (url, { body } = {}) => {
                posted.push(`${url} ${body}`);
                return new Response(null, { status: answer });
              },
            },
            sendPersonTestNotice,
          )(app, door),
      ],
    });
  });
  afterEach(() => world.close());

  const asked = {
    ...{ name: 'evening', timing: { cron: '30 15 * * 1-5' }, when_open: true, timeout_ms: 60_000 },
    check: { suggest: false, buy_only: false, approval: 'deny' },
  };
  const path = '/v1/agent/schedules';
  const add = (body: object = asked, more: AskOptions = {}) =>
    server.ask('POST', path, { key: 'key-1', body, ...more });
  const schedule = async (response: Response) =>
    agentOperations.addSchedule.answer.parse(await response.json()).schedule;
  const problemOf = async (response: Response | Promise<Response>) => {
    const { code, status } = problemSchema.parse(await (await response).json());
    return `${status} ${code}`;
  };

  it('keeps one under its key, shows it, lists it, and takes it out', async () => {
    const response = await add();
    expect(response.status).toBe(201);
    const made = await schedule(response);
    expect(made).toMatchObject({ ...asked, last: null });
    expect(made.next).toHaveLength(5);
    expect(offline).toEqual(['granted alice-sub']);
    expect(await schedule(await add())).toEqual(made);
    const listed = agentOperations.listSchedules.answer.parse(await (await server.ask('GET', path)).json());
    expect(listed.schedules).toEqual([made]);
    expect(await schedule(await server.ask('GET', `${path}/evening`))).toEqual(made);
    expect((await server.ask('DELETE', `${path}/${made.id}`)).status).toBe(204);
    expect(offline.at(-1)).toBe('ended alice-sub');
    expect(await problemOf(server.ask('GET', `${path}/${made.id}`))).toBe('404 not_found');
  });

  it('wakes at its next moment', async () => {
    const made = await schedule(await add());
    const row = await personSchedules(server.parts, 'alice-sub').find(made.id);
    expect(row?.wakeAt).toBe(Date.parse(made.next[0] ?? ''));
    expect(row?.schedule.scopes).toContain('orders:propose');
  });

  it('arms the conditions of its rules only where it is to go by prices', async () => {
    const rules = 'rules: [{name: a, kind: price, symbol: AAPL, above: 200}]';
    const check = { ...asked.check, rules };
    await add({ ...asked, check });
    expect(await tenantSchedules(server.parts).watched()).toEqual([]);
    await add({ ...asked, name: 'prices', check, on_price: true }, { key: 'key-2' });
    expect(await tenantSchedules(server.parts).watched()).toEqual(['AAPL']);
  });

  it('has it run now, once a key, by the server’s job', async () => {
    const made = await schedule(await add());
    const now = (key: string) => server.ask('POST', `${path}/${made.id}/run`, { key });
    const first = agentOperations.runSchedule.answer.parse(await (await now('now')).json());
    expect(agentOperations.runSchedule.answer.parse(await (await now('now')).json())).toEqual(first);
    const row = await personSchedules(server.parts, 'alice-sub').find(made.id);
    expect(row?.askedAt).toBe(Date.parse(first.queued_at));
    const runs = await server.ask('GET', `${path}/${made.id}/runs?limit=5`);
    expect(agentOperations.scheduleRuns.answer.parse(await runs.json())).toEqual({ runs: [] });
  });

  it.each([
    ['without a key', asked, { key: undefined }, '400 idempotency_key_missing'],
    ['with a cron expression that is none', { ...asked, timing: { cron: '99 * * * *' } }, {}, '400 usage'],
    ['with rules that are none', { ...asked, check: { ...asked.check, rules: 'rules: 1' } }, {}, '400 usage'],
    ['with more than there is', { ...asked, shell: 'rm' }, {}, '400 usage'],
    ['that is too long', { ...asked, check: { ...asked.check, rules: '#'.repeat(70_000) } }, {}, '400 usage'],
    ['by a token that may not read', asked, { scopes: ['orders:cancel'] }, '403 insufficient_scope'],
  ] as const)('refuses one %s', async (_, body, more, problem) => {
    const response = await server.ask('POST', path, { key: 'key-1', body, ...(more as AskOptions) });
    expect(await problemOf(response)).toBe(problem);
    expect(await tenantSchedules(server.parts).waiting(Number.MAX_SAFE_INTEGER)).toEqual({
      due: 0,
      queued: 0,
    });
    expect(offline).toEqual([]);
  });

  it('refuses another under the same key, and a name that is taken', async () => {
    await add();
    expect(await problemOf(add({ ...asked, name: 'other' }))).toBe('409 idempotency_key_conflict');
    expect(await problemOf(add(asked, { key: 'key-2' }))).toBe('409 usage');
  });

  it('is each person’s own: another finds none of it, by id or by name', async () => {
    const made = await schedule(await add());
    const bob = { person: 'bob-sub' };
    for (const id of [made.id, 'evening']) {
      for (const [method, at] of [
        ['GET', ''],
        ['DELETE', ''],
        ['POST', '/run'],
        ['GET', '/runs'],
      ] as const) {
        const response = await server.ask(method, `${path}/${id}${at}`, { ...bob, key: 'k' });
        expect(await problemOf(response), `${method} ${at}`).toBe('404 not_found');
      }
    }
    const theirs = await server.ask('GET', path, bob);
    expect(await theirs.json()).toEqual({ schedules: [] });
    expect((await personSchedules(server.parts, 'alice-sub').find(made.id))?.askedAt).toBeNull();
  });

  it('keeps what its adder’s token may, and no more', async () => {
    const made = await schedule(await add(asked, { scopes: [...READ_SCOPES] }));
    const row = await personSchedules(server.parts, 'alice-sub').find(made.id);
    expect(row?.schedule.scopes.toSorted()).toEqual([...READ_SCOPES].toSorted());
  });

  const notices = '/v1/agent/notices';
  const slack = { kind: 'slack', enabled: true };
  const listNotices = async (person?: string) =>
    agentOperations.listNotices.answer.parse(
      await (await server.ask('GET', notices, person === undefined ? {} : { person })).json(),
    ).channels;

  it('keeps a channel and its secret, which never comes out', async () => {
    const secret = 'https://hooks.example/planted-secret-12';
    const put = await server.ask('POST', `${notices}/team`, { body: { channel: slack, secret } });
    expect(put.status).toBe(204);
    const listed = await server.ask('GET', notices);
    const text = await listed.text();
    expect(text).not.toContain('planted');
    expect(JSON.parse(text).channels).toMatchObject([{ name: 'team', kind: 'slack', secret: 'kept' }]);
    expect(await listNotices('bob-sub')).toEqual([]);
    expect((await server.ask('DELETE', `${notices}/team`)).status).toBe(204);
    expect(await problemOf(server.ask('DELETE', `${notices}/team`))).toBe('404 not_found');
    expect(await listNotices()).toEqual([]);
  });

  it('takes a secret later, sends a test by it, and says where that is refused, without a word of it', async () => {
    const at = `${notices}/team`;
    const send = () => server.ask('POST', `${at}/test`);
    const giveSecret = () =>
      server.ask('POST', `${at}/secret`, { body: { secret: 'https://hooks.example/planted-secret-12' } });
    expect(await problemOf(giveSecret())).toBe('404 not_found');
    expect(await problemOf(send())).toBe('404 not_found');
    await server.ask('POST', at, { body: { channel: { ...slack, min_severity: 'critical' } } });
    expect(await problemOf(send())).toBe('502 notice_failed');
    expect((await giveSecret()).status).toBe(204);
    expect(await listNotices()).toMatchObject([
      { name: 'team', secret: 'kept', min_severity: 'critical', rules: null, waiting: 0 },
    ]);
    expect(agentOperations.testNotice.answer.parse(await (await send()).json())).toMatchObject({ attempts: 1 });
    expect(posted).toEqual([expect.stringMatching(/planted-secret-12 .*Test from trade-agent/)]);
    answer = 403;
    const refused = await (await send()).text();
    expect(refused).toContain('notice_failed');
    expect(refused).not.toContain('planted');
    // Another's channel is nobody's.
    expect(await problemOf(server.ask('POST', `${at}/test`, { person: 'bob-sub' }))).toBe('404 not_found');
  });

  const alerts = '/v1/agent/alerts';
  const addAlert = async (alert: object, more: AskOptions = {}) => {
    const response = await server.ask('POST', alerts, { body: { alert }, ...more });
    expect(response.status).toBe(200);
    return agentOperations.addAlert.answer.parse(await response.json());
  };
  const listAlerts = async (person = 'alice-sub') =>
    agentOperations.listAlerts.answer.parse(await (await server.ask('GET', alerts, { person })).json());
  const below = { symbol: 'AAPL', below: '180' };

  it('keeps alerts as rules of a schedule of theirs, which watches prices and reads alone', async () => {
    expect(await listAlerts()).toEqual({ alerts: [], looked_at_by: [], told_by: [] });
    await server.ask('POST', `${notices}/team`, { body: { channel: slack } });
    const heard = { looked_at_by: ['alerts'], told_by: ['team'] };
    const added = await addAlert(below);
    expect(added).toMatchObject({ added: { name: 'aapl-below-180', alert: below }, is_new: true, ...heard });
    expect(offline).toEqual(['granted alice-sub']);
    expect(await addAlert(below)).toMatchObject({ is_new: false });
    await addAlert({ symbol: 'NVDA', falls_by: '5%' });
    expect(await listAlerts()).toMatchObject({
      ...{ alerts: [{ name: 'aapl-below-180' }, { name: 'nvda-falls-by-5' }], ...heard },
    });
    expect(await tenantSchedules(server.parts).watched()).toEqual(['AAPL', 'NVDA']);
    const row = await personSchedules(server.parts, 'alice-sub').find('alerts');
    expect(row?.schedule).toMatchObject({ check: { suggest: false, approval: 'deny' }, on_price: true });
    expect(row?.schedule.scopes.toSorted()).toEqual([...READ_SCOPES].toSorted());
    expect(row?.wakeAt).toBeGreaterThan(Date.now());
  });

  it('looks at them when it is told to, and takes them out with their schedule and its grant', async () => {
    const look = (every: string) => server.ask('POST', `${alerts}/look`, { body: { every } });
    expect(await problemOf(look('close'))).toBe('404 not_found');
    await addAlert(below);
    await addAlert({ symbol: 'AAPL', above: '300' });
    expect(await (await look('close')).json()).toEqual({ schedule: 'alerts', with: 'server', is_new: true });
    expect(await (await look('close')).json()).toMatchObject({ is_new: false });
    const row = await personSchedules(server.parts, 'alice-sub').find('alerts');
    expect(row?.schedule.timing).toEqual({ at: 'close-30m' });
    const remove = (which: string) => server.ask('DELETE', `${alerts}/${which}`);
    const removed = agentOperations.removeAlert.answer.parse(await (await remove('aapl-above-300')).json());
    expect(removed.removed).toMatchObject([{ name: 'aapl-above-300' }]);
    expect(offline).not.toContain('ended alice-sub');
    expect((await remove('AAPL')).status).toBe(200);
    expect(await problemOf(remove('AAPL'))).toBe('404 not_found');
    expect(offline.at(-1)).toBe('ended alice-sub');
    expect(await tenantSchedules(server.parts).watched()).toEqual([]);
  });

  it('has alerts be each person’s own, and all of them there where many are added at once', async () => {
    const symbols = ['AAPL', 'MSFT', 'NVDA'];
    await Promise.all(symbols.map((symbol) => addAlert({ symbol, below: '1' })));
    expect((await listAlerts()).alerts.map(({ alert }) => alert.symbol).toSorted()).toEqual(symbols);
    expect((await listAlerts('bob-sub')).alerts).toEqual([]);
    const theirs = await server.ask('DELETE', `${alerts}/AAPL`, { person: 'bob-sub' });
    expect(await problemOf(theirs)).toBe('404 not_found');
    expect((await listAlerts()).alerts).toHaveLength(3);
  });

  it.each([
    ['that is none', { symbol: 'AAPL' }, {}, '400 usage'],
    ['by a token that may not read', below, { scopes: ['orders:cancel'] }, '403 insufficient_scope'],
  ] as const)('refuses an alert %s', async (_, alert, more, problem) => {
    const response = await server.ask('POST', alerts, { body: { alert }, ...(more as AskOptions) });
    expect(await problemOf(response)).toBe(problem);
    expect(offline).toEqual([]);
  });

  const mail = { kind: 'email', from: 'a@example.com', to: ['a@example.com'] };
  it.each([
    ['of a desktop', { kind: 'desktop' }],
    ['of a mail server on the server’s own network', { ...mail, host: '10.0.0.1' }],
    ['of a mail server on the server itself', { ...mail, host: 'localhost', security: 'none' }],
    ['with a file', { ...mail, host: '8.8.8.8', ca_file: '/etc/passwd' }],
  ])('refuses a channel %s', async (_, channel) => {
    const response = await server.ask('POST', `${notices}/mine`, { body: { channel } });
    expect(await problemOf(response)).toBe('400 usage');
    expect(await listNotices()).toEqual([]);
  });

  it('asks what a name leads to, and refuses one that leads inside', async () => {
    const channel = { ...mail, host: 'mail.example', security: 'tls', enabled: true } as never;
    expect(await findChannelProblem(channel, async () => ['8.8.8.8'])).toBeUndefined();
    expect(await findChannelProblem(channel, async () => ['8.8.8.8', '10.0.0.1'])).toEqual({
      message: 'the mail server does not have a public address',
      passing: false,
    });
  });
});
