import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { checkResultSchema } from '../../../src/check/result-schema.ts';
import { formatNewYorkTime } from '../../../src/trading/date-words.ts';
import { suiteCliWorld } from '../cli/cli-world.ts';
import { type HttpRecorder, openHttpRecorder } from './http-recorder.ts';
import { loopbackCertificate, type MailServer, openMailServer } from './mail-server.ts';

const PASSWORD = 'mail-pass-7h3-s3cr3t';
const WHSEC = `whsec_${Buffer.from('a-signing-key-nobody-may-see').toString('base64')}`;
const TOKEN = 'tk_ntfy-t0ken-nobody-may-see';
const SLACK_PATH = '/services/T000/B000/sl4ck-path-nobody-sees';

const world = suiteCliWorld({ hasty: true });
let http: HttpRecorder;
let mail: MailServer;
beforeAll(async () => {
  [http, mail] = await Promise.all([openHttpRecorder(), openMailServer({ password: PASSWORD })]);
});
afterAll(() => Promise.all([http.close(), mail.close()]));
beforeEach(() => {
  http.requests.length = 0;
  mail.received.length = 0;
  mail.passwords.length = 0;
  http.answer();
});

const configure = (notices: Record<string, unknown>) =>
  writeFileSync(
    join(world.env.TRADE_AGENT_HOME ?? '', 'config.yaml'),
    stringify({ profiles: { sandbox: { notices } } }),
  );
const setSecret = async (name: string, secret: string) => {
  const { exitCode, stdout, stderr } = await world.run(['notices', 'set-secret', name], {
    stdin: `${secret}\n`,
  });
  expect(stdout + stderr).not.toContain(secret);
  expect([exitCode, stderr]).toEqual([0, '']);
};
let count = 0;
/** Rules that fire now, and did not before: each set has names of its own. */
const rulesThatFire = (severities: readonly string[] = ['warning'], more = '') => {
  const file = join(world.folder, `rules-${++count}.yaml`);
  const rules = severities.map(
    (severity, index) =>
      `  - {name: r${count}-${index}, kind: price, symbol: AAPL, above: ${index + 1}, severity: ${severity}${more}}`,
  );
  writeFileSync(file, `rules:\n${rules.join('\n')}\n`);
  return file;
};
const check = async (rules: string, ...args: string[]) => {
  const command = ['check', '--rules', rules, ...args, '--output', 'json'];
  const { exitCode, stdout, stderr } = await world.run(command);
  const parsed = checkResultSchema.safeParse(JSON.parse(stdout));
  if (!parsed.success) throw new Error(`ended with ${exitCode}: ${stdout} ${stderr}`);
  // Those of this check alone: what an earlier test could not send is tried again, too.
  const notices = parsed.data.notices.filter(({ title }) => title.includes(`r${count}-`));
  return { exitCode, stderr, stdout, result: parsed.data, notices };
};
const mailChannel = (more: Record<string, unknown> = {}) => ({
  kind: 'email',
  host: 'localhost',
  port: mail.port,
  user: 'alice',
  from: 'agent@example.com',
  to: ['alice@example.com'],
  ca_file: loopbackCertificate,
  timeout: 2,
  ...more,
});

describe('notices of a check', () => {
  it('reach each channel once, and no more while the finding lasts', async () => {
    configure({
      hook: { kind: 'webhook', url: `${http.url}/hook` },
      push: { kind: 'ntfy', server: http.url, topic: 'alice-money', tags: ['chart'] },
      team: { kind: 'slack' },
      mail: mailChannel(),
    });
    await setSecret('hook', WHSEC);
    await setSecret('push', TOKEN);
    await setSecret('team', `${http.url}${SLACK_PATH}`);
    await setSecret('mail', PASSWORD);
    const rules = rulesThatFire(['critical'], ', message: "AAPL <!channel> & \\"more\\" {price}"');
    const { exitCode, result, stderr } = await check(rules);
    expect(exitCode).toBe(3);
    expect(stderr).toBe('');
    expect(result.notices.map(({ channel, status, attempts }) => [channel, status, attempts])).toEqual([
      ['hook', 'delivered', 1],
      ['push', 'delivered', 1],
      ['team', 'delivered', 1],
      ['mail', 'delivered', 1],
    ]);
    const [finding] = result.findings;
    const ids = new Map(result.notices.map(({ channel, id }) => [channel, id]));

    const hook = http.requests.find(({ path }) => path === '/hook');
    // Throws where the signature, its time or its id is wrong.
    const payload = new Webhook(WHSEC).verify(hook?.body ?? '', hook?.headers as Record<string, string>);
    expect(payload).toMatchObject({
      type: 'trade_agent.finding',
      timestamp: result.checked_at,
      data: {
        severity: 'critical',
        account: { account: 'PA3ALICE01', environment: 'paper', simulated: true },
        findings: [{ rule: finding?.rule, subject: 'AAPL', facts: { symbol: 'AAPL' } }],
      },
    });
    expect(hook?.headers['webhook-id']).toBe(ids.get('hook'));
    expect(() => new Webhook(WHSEC).verify(`${hook?.body} `, hook?.headers as Record<string, string>)).toThrow();

    const push = http.requests.find(({ path }) => path === '/');
    expect(push?.headers.authorization).toBe(`Bearer ${TOKEN}`);
    expect(JSON.parse(push?.body ?? '')).toMatchObject({
      topic: 'alice-money',
      priority: 5,
      tags: ['rotating_light', 'chart'],
      title: `Critical: ${finding?.rule} (PAPER, simulated)`,
      message: expect.stringContaining(finding?.message ?? '?'),
      sequence_id: ids.get('push'),
    });

    const team = http.requests.find(({ path }) => path === SLACK_PATH);
    const { text } = JSON.parse(team?.body ?? '') as { text: string };
    expect(text).toContain('AAPL &lt;!channel&gt; &amp; "more"');
    expect(text).not.toContain('<');

    expect(mail.received).toMatchObject([
      { user: 'alice', secure: true, from: 'agent@example.com', to: ['alice@example.com'] },
    ]);
    expect(mail.received[0]?.text).toMatch(new RegExp(`^Message-ID: <${ids.get('mail')}@`, 'im'));
    expect(mail.received[0]?.text).toMatch(/^Auto-Submitted: auto-generated/im);
    expect(mail.received[0]?.text).toContain(`Subject: Critical: ${finding?.rule}`);

    http.requests.length = 0;
    const again = await check(rules);
    expect(again.result).toMatchObject({ findings: [], notices: [] });
    expect(http.requests).toEqual([]);
    expect(mail.received).toHaveLength(1);
  });

  it('go to whom they concern: by severity, and by rule', async () => {
    const hook = (more: Record<string, unknown>) => ({ kind: 'ntfy', server: http.url, ...more });
    configure({
      all: hook({ topic: 'all', min_severity: 'info' }),
      some: hook({ topic: 'some' }),
      worst: hook({ topic: 'worst', min_severity: 'critical' }),
      one: hook({ topic: 'one', min_severity: 'info', rules: [`r${count + 1}-0`] }),
      off: hook({ topic: 'off', min_severity: 'info', enabled: false }),
    });
    const { result } = await check(rulesThatFire(['info', 'warning', 'critical']));
    expect(result.findings).toHaveLength(3);
    const to = (topic: string) =>
      http.requests
        .map(({ body }) => JSON.parse(body) as { topic: string; title: string })
        .filter((message) => message.topic === topic)
        .map(({ title }) => title.split(':')[0]);
    expect(to('all')).toEqual(['Critical', 'Warning', 'Info']);
    expect(to('some')).toEqual(['Critical', 'Warning']);
    expect(to('worst')).toEqual(['Critical']);
    expect(to('one')).toEqual(['Info']);
    expect(to('off')).toEqual([]);
  });

  it('of more than ten findings become one', async () => {
    configure({ push: { kind: 'ntfy', server: http.url, topic: 't' } });
    const { result } = await check(rulesThatFire(Array.from({ length: 45 }, () => 'warning')));
    expect(result.findings).toHaveLength(45);
    expect(result.notices).toHaveLength(1);
    const { title, message } = JSON.parse(http.requests[0]?.body ?? '') as Record<string, string>;
    expect(title).toBe('45 new findings (PAPER, simulated)');
    expect(message).toContain('… and 5 more');
  });

  it('are written by templates', async () => {
    configure({
      push: {
        ...{ kind: 'ntfy', server: http.url, topic: 't' },
        ...{ title: '[{environment}] {subject}', body: '{message} / {rule} / {profile} / {account}' },
      },
    });
    const { result } = await check(rulesThatFire());
    const [finding] = result.findings;
    expect(JSON.parse(http.requests[0]?.body ?? '')).toMatchObject({
      title: '[PAPER, simulated] AAPL',
      message: `${finding?.message} / ${finding?.rule} / sandbox / PA3ALICE01`,
    });
  });
});

describe('a notice that can’t be sent', () => {
  it('is tried again after 500, under the same id and with the same words', async () => {
    configure({ hook: { kind: 'webhook', url: `${http.url}/hook` } });
    await setSecret('hook', WHSEC);
    http.answer(500);
    const { result, stderr } = await check(rulesThatFire());
    expect(result.notices).toMatchObject([{ status: 'delivered', attempts: 2 }]);
    expect(stderr).toBe('');
    const [first, second] = http.requests;
    expect(first?.headers['webhook-id']).toBe(second?.headers['webhook-id']);
    expect(first?.body).toBe(second?.body);
  });

  it('hides nothing when the mail server is down and the webhook hangs, and goes out at the next check', async () => {
    const gone = await openMailServer({ password: PASSWORD });
    await gone.close();
    configure({
      hook: { kind: 'webhook', url: `${http.url}/hook`, timeout: 1 },
      mail: mailChannel({ port: gone.port }),
    });
    await setSecret('hook', WHSEC);
    await setSecret('mail', PASSWORD);
    http.answer('hang', 'hang', 'hang');
    const rules = rulesThatFire(['warning', 'critical']);
    const { exitCode, result, stderr } = await check(rules);
    expect(exitCode).toBe(3);
    expect(result.findings).toHaveLength(2);
    expect(
      result.notices.map(({ channel, status, attempts, error }) => [channel, status, attempts, error?.code]),
    ).toEqual([
      ['hook', 'waiting', 3, 'timeout'],
      ['hook', 'waiting', 0, 'timeout'],
      ['mail', 'waiting', 3, 'unreachable'],
      ['mail', 'waiting', 0, 'unreachable'],
    ]);
    expect(stderr.match(/the next check will try again/g)).toHaveLength(4);
    expect((await world.run(['notices'])).stdout).toMatch(/hook +webhook +warning +kept +2 /);

    const back = await openMailServer({ password: PASSWORD, port: gone.port });
    onTestFinished(() => back.close());
    const hung = http.requests.map(({ headers }) => headers['webhook-id']);
    http.requests.length = 0;
    const next = await check(rules);
    expect(next.exitCode).toBe(0);
    expect(next.result.findings).toEqual([]);
    expect(next.result.notices.map(({ status }) => status)).toEqual(Array(4).fill('delivered'));
    expect(http.requests[0]?.headers['webhook-id']).toBe(hung[0]);
    expect(back.received).toHaveLength(2);
    expect((await check(rules)).result.notices).toEqual([]);
  });

  it('says that the password is wrong, keeps it to itself, and goes out once it is right', async () => {
    configure({ mail: mailChannel() });
    await setSecret('mail', 'wr0ng-passw0rd-nobody-sees');
    const rules = rulesThatFire();
    const first = await check(rules);
    expect(first.exitCode).toBe(3);
    expect(first.result.notices).toMatchObject([{ status: 'waiting', attempts: 1, error: { code: 'not_authorized' } }]);
    expect(mail.passwords).toEqual(['wr0ng-passw0rd-nobody-sees']);
    expect(first.stdout + first.stderr).not.toContain('wr0ng-passw0rd');
    await setSecret('mail', PASSWORD);
    expect((await check(rules)).result.notices).toMatchObject([{ status: 'delivered' }]);
  });

  it('is not sent without TLS, nor is the password', async () => {
    const plain = await openMailServer({
      password: PASSWORD,
      hideSTARTTLS: true,
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
    });
    onTestFinished(() => plain.close());
    configure({ mail: mailChannel({ port: plain.port }) });
    await setSecret('mail', PASSWORD);
    const { notices } = await check(rulesThatFire());
    expect(notices).toMatchObject([{ status: 'waiting', error: { code: 'insecure' } }]);
    expect(plain.passwords).toEqual([]);
    expect(plain.received).toEqual([]);
  });

  it('is not sent to a server whose certificate nobody trusts', async () => {
    const { ca_file: _ca, ...untrusting } = mailChannel();
    configure({ mail: untrusting });
    await setSecret('mail', PASSWORD);
    const { notices } = await check(rulesThatFire());
    expect(notices).toMatchObject([{ status: 'waiting', error: { code: 'insecure' } }]);
    expect(mail.passwords).toEqual([]);
  });

  it('is not taken along by a redirect', async () => {
    configure({ push: { kind: 'ntfy', server: http.url, topic: 't' } });
    await setSecret('push', TOKEN);
    http.answer({ status: 307, headers: { location: `${http.url}/elsewhere` } });
    const { notices } = await check(rulesThatFire());
    expect(notices).toMatchObject([{ status: 'waiting', attempts: 1, error: { code: 'refused' } }]);
    expect(http.requests.map(({ path }) => path)).toEqual(['/']);
  });

  it('waits for its secret, which goes only to the server it was given for', async () => {
    configure({ hook: { kind: 'webhook', url: `${http.url}/hook` } });
    await setSecret('hook', WHSEC);
    configure({ hook: { kind: 'webhook', url: `${http.url}/another` } });
    const { notices, exitCode } = await check(rulesThatFire());
    expect(exitCode).toBe(3);
    expect(notices).toMatchObject([{ status: 'waiting', error: { code: 'secret_missing' } }]);
    expect(http.requests).toEqual([]);
    expect((await world.run(['notices'])).stdout).toMatch(/hook +webhook +warning +missing/);
  });

  it('is given up, and said so, when its channel is no more', async () => {
    configure({ hook: { kind: 'webhook', url: `${http.url}/yet-another` } });
    const rules = rulesThatFire();
    await check(rules);
    configure({ push: { kind: 'ntfy', server: http.url, topic: 't' } });
    const { result, stderr } = await check(rules);
    expect(result.notices.length).toBeGreaterThan(0);
    for (const notice of result.notices)
      expect(notice).toMatchObject({ channel: 'hook', status: 'given_up', error: { code: 'no_channel' } });
    expect(stderr).toContain('was not sent through hook');
    expect((await check(rules)).result.notices).toEqual([]);
  });

  it('does not keep a text check from being read first', async () => {
    configure({ push: { kind: 'ntfy', server: http.url, topic: 't', timeout: 1 } });
    http.answer('hang', 'hang', 'hang');
    const running = world.start(['check', '--rules', rulesThatFire()]);
    await running.says(/AAPL is at/);
    expect(http.requests.length).toBeLessThan(3);
    running.interrupt();
    const { exitCode, stderr } = await running.done;
    expect(exitCode).toBe(130);
    expect(stderr).toContain('the next check will try again');
    http.answer();
    const { result } = await check(rulesThatFire());
    expect(result.notices.map(({ status }) => status)).toEqual(['delivered', 'delivered']);
  });
});

describe('an order that waits for an approval', () => {
  it('is told: look at your phone, for what, by when', async () => {
    configure({ push: { kind: 'ntfy', server: http.url, topic: 't' } });
    const rules = join(world.folder, 'dip.yaml');
    writeFileSync(
      rules,
      'rules:\n  - {name: dip, kind: order, symbol: MSFT, above: 1, severity: info, order: {side: buy, qty: 1, type: limit, limit_price: 100}}\n',
    );
    const { exitCode, result } = await check(rules, '--suggest', '--approval', 'detach');
    expect(exitCode).toBe(5);
    const [approval] = (result.proposals[0]?.approvals ?? []) as {
      id: string;
      code: string;
      expires_at: string;
    }[];
    expect(http.requests).toHaveLength(1);
    const message = JSON.parse(http.requests[0]?.body ?? '') as Record<string, string>;
    expect(message.title).toMatch(/^Check your phone: .*MSFT.*PAPER/);
    expect(message.title).toContain(`code ${approval?.code}`);
    expect(message.message).toContain(formatNewYorkTime(approval?.expires_at ?? ''));
    expect(message.priority).toBe(5);
    await world.run(['approvals', 'cancel', approval?.id ?? '']);
  });
});

describe('a desktop notice', () => {
  it('is an argument of its own to notify-send, and no option', async () => {
    const bin = join(world.folder, 'bin');
    mkdirSync(bin, { recursive: true });
    const log = join(world.folder, 'notify-send.log');
    writeFileSync(
      join(bin, 'notify-send'),
      `#!${process.execPath}\nrequire('node:fs').writeFileSync(${JSON.stringify(log)}, JSON.stringify({argv: process.argv.slice(2), env: Object.keys(process.env)}));\n`,
      { mode: 0o755 },
    );
    configure({
      desk: { kind: 'desktop', title: '--icon=evil {rule}', body: '<b>{message}</b>\u001b]0;x\u0007' },
    });
    const { exitCode, stdout } = await world.run(
      ['check', '--rules', rulesThatFire(['critical']), '--output', 'json'],
      { env: { PATH: bin, TRADE_AGENT_SECRETISH: 'x' } },
    );
    expect([exitCode, JSON.parse(stdout).notices[0].status]).toEqual([3, 'delivered']);
    const { argv, env } = JSON.parse(readFileSync(log, 'utf8')) as { argv: string[]; env: string[] };
    const end = argv.indexOf('--');
    expect(argv.slice(0, end)).toContain('--urgency=critical');
    expect(argv.slice(end + 1)).toEqual([
      expect.stringMatching(/^--icon=evil r\d+-0$/),
      expect.stringMatching(/^&lt;b&gt;AAPL is at .*&lt;\/b&gt;$/),
    ]);
    expect(env).not.toContain('TRADE_AGENT_SECRETISH');
    expect(env).not.toContain('TRADE_AGENT_HOME');
  });

  it('says that there is nothing to show it with', async () => {
    configure({ desk: { kind: 'desktop' } });
    const { exitCode, stderr, stdout } = await world.run(['check', '--rules', rulesThatFire()], {
      env: { PATH: join(world.folder, 'nowhere') },
    });
    expect(exitCode).toBe(3);
    expect(stdout).toContain('AAPL is at');
    expect(stderr).toContain('notify-send, which shows notices, is not installed');
  });
});

describe('notices test', () => {
  it('sends one now, and ends 1 with what went wrong', async () => {
    configure({ push: { kind: 'ntfy', server: http.url, topic: 't' } });
    expect(await world.json('notices', 'test', 'push')).toMatchObject({
      exitCode: 0,
      body: { schema: 'trade-agent.notice-test/1', channel: 'push' },
    });
    http.answer(403);
    const refused = await world.run(['notices', 'test', 'push']);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('rejected the secret');
    expect((await world.run(['notices', 'test', 'pish'])).exitCode).toBe(2);
  });
});

it('no secret is in what was printed, logged or written, but for the sealed credential file', async () => {
  const secrets = [PASSWORD, 'wr0ng-passw0rd', WHSEC, WHSEC.slice(6), TOKEN, 'sl4ck-path-nobody-sees'];
  const files = readdirSync(world.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  expect(files.some((file) => file.endsWith('trade-agent.log'))).toBe(true);
  for (const file of files) {
    const text = readFileSync(file, 'latin1');
    for (const secret of secrets) expect(text.includes(secret) ? [file, secret] : []).toEqual([]);
  }
});
