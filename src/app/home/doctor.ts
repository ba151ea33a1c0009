import { createPrivateKey, X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { lstatSync, readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ConnectionOptions, connect, type PeerCertificate } from 'node:tls';
import { verifyAuditFile } from '../../approval/audit-chain.ts';
import { errorObject } from '../../errors/error-object.ts';
import { isKept } from '../../gateway/broker/kept-kinds.ts';
import type { NamedBroker } from '../../gateway/broker/named-broker.ts';
import { verifyCredentials } from '../../gateway/broker/verify-keys.ts';
import { LIMITS_LOST, readFolderRules } from '../../gateway/policy/files/rules-source.ts';
import { unmatchedAccounts } from '../../gateway/policy/limited-accounts.ts';
import { hasLimits } from '../../gateway/policy/rules.ts';
import { ownCheckpointReader } from '../../gateway/record-checkpoints.ts';
import { isLocalAddress } from '../../home/settings/home-address.ts';
import type { HomeSettings } from '../../home/settings/home-settings.ts';
import { resolveHome } from '../../machine/directories.ts';
import { defined } from '../../values/defined.ts';
import { DAY_MS } from '../../values/durations.ts';
import type { App } from '../app.ts';
import { checkNode } from '../doctor/doctor.ts';
import { type Finding, fail, ok, skip, warn } from '../doctor/finding.ts';
import { clockFinding } from '../doctor/server-checks.ts';
import { sealSecret } from '../gateway/key-file.ts';
import { folderProblem, homeFiles, readHomeReady } from './home-files.ts';
import { type OpenHome, withHome } from './open-home.ts';

/**
 * Checks everything that a home needs; changes nothing. Failures to open it are findings too.
 * @throws the signal's reason when it aborts
 */
export async function homeDoctor(
  app: Pick<App, 'clock' | 'fetch' | 'signal' | 'env'>,
  folder: string,
): Promise<Finding[]> {
  const findings: Finding[] = [checkNode()];
  try {
    await withHome(app, folder, async (home) => {
      findings.push(checkFolder(folder), checkSeparation(folder, app.env), checkDisk(folder));
      findings.push(
        ...(await checkRules(home)),
        await checkRecord(home),
        ...checkSignature(home),
        ...(await checkAuthenticators(home)),
      );
      findings.push(await checkAddress(home.settings), ...(await checkCertificate(app, home.settings)));
      findings.push(await checkServed(app, home.settings, folder), ...(await checkAccounts(app, home)));
    });
  } catch (error) {
    app.signal.throwIfAborted();
    const { message, hint } = errorObject(error);
    findings.push(fail('home', message, hint ?? 'Try again with --verbose.'));
  }
  return findings;
}

/** Each person's account at the brokers, and this machine's clock compared with the broker's. */
async function checkAccounts(
  app: Pick<App, 'fetch' | 'clock' | 'signal'>,
  { keyPairs, people, gateway }: Pick<OpenHome, 'keyPairs' | 'people' | 'gateway'>,
): Promise<Finding[]> {
  let date: string | null = null;
  const fetch: typeof app.fetch = async (url, init) => {
    const response = await app.fetch(url, init);
    date = response.headers.get('date') ?? date;
    return response;
  };
  const findings: Finding[] = [];
  for (const { username } of people.list()) {
    findings.push(...(await accountsOf(username, { keyPairs, gateway, fetch })));
  }
  findings.push(...(await unusedBrokers({ keyPairs, gateway, fetch })));
  app.signal.throwIfAborted();
  return [clockFinding(date, app.clock.now()), ...findings];
}

type CheckedHome = Pick<OpenHome, 'folder' | 'stores' | 'gateway'>;
type Checking = Pick<OpenHome, 'keyPairs' | 'gateway'> & Pick<App, 'fetch'>;

/** A person needs an account at one broker only. */
async function accountsOf(username: string, checking: Checking): Promise<Finding[]> {
  const { brokers } = checking.gateway;
  const found = await Promise.all(brokers.map((broker) => checkAccount(username, broker, checking)));
  const known = found.filter((finding) => finding !== undefined);
  if (known.length > 0) return known;
  return [warn('broker', `${username} has no account here`, setKeys(username, checking))];
}

/** Where there are several brokers, those at which nobody has an account. */
async function unusedBrokers(checking: Checking): Promise<Finding[]> {
  const { keyPairs, gateway } = checking;
  if (gateway.brokers.length === 1) return [];
  const kept = gateway.brokers.filter(({ credentials }) => isKept(credentials));
  const found = await Promise.all(
    kept.map(async (broker) => ((await keyPairs(broker).list()).length === 0 ? [broker] : [])),
  );
  return found.flat().map((broker) => {
    const give = `trade-agent home broker set --broker ${broker.name}`;
    return warn('broker', `nobody has an account at ${broker.name}`, give);
  });
}

function setKeys(username: string, { gateway: { brokers } }: Checking, broker?: NamedBroker): string {
  const named = brokers.length === 1 ? '' : ` --broker ${broker?.name ?? 'NAME'}`;
  return `trade-agent home broker set --user ${username}${named}`;
}

async function checkAccount(
  username: string,
  broker: NamedBroker,
  checking: Checking,
): Promise<Finding | undefined> {
  const { keyPairs, gateway, fetch } = checking;
  const { environment, brokers } = gateway;
  const who = brokers.length === 1 ? username : `${username} at ${broker.name}`;
  try {
    const kept = await keyPairs(broker).find(username);
    if (kept === undefined) return undefined;
    const account = await verifyCredentials(broker, kept.pair, { environment, fetch });
    const message = `${who}: account ${account.accountNumber}, ${account.environment}, ${account.status}`;
    if (account.environment !== environment) {
      return fail(
        'broker',
        `${message}; the home serves ${environment}`,
        'Make a home of its own for that account.',
      );
    }
    return account.tradingBlocked
      ? warn('broker', `${message}; trading is blocked`, 'Ask the broker why.')
      : ok('broker', message);
  } catch (error) {
    const { message, hint } = errorObject(error);
    return fail('broker', `${who}: ${message}`, hint ?? setKeys(username, checking, broker));
  }
}

/** Whether each person can approve, and still could after losing a phone. */
async function checkAuthenticators({ keys, people }: Pick<OpenHome, 'keys' | 'people'>): Promise<Finding[]> {
  const found = await Promise.all(
    people.list().map(async ({ username }) => ({ username, count: (await keys.list(username)).length })),
  );
  return found.map(({ username, count }) => {
    const pair = `trade-agent home pair --user ${username}`;
    if (count === 0) return warn('phones', `${username} has no phone yet: nothing can be approved`, pair);
    if (count === 1) {
      return warn(
        'phones',
        `${username} has one authenticator: without it nothing can be approved`,
        `Pair another, as a laptop or a security key: ${pair}`,
      );
    }
    return ok('phones', `${username} has ${count} authenticators`);
  });
}

/** Whether an order needs a phone's signature, whatever the identity provider says. */
function checkSignature({ gateway, settings }: Pick<OpenHome, 'gateway' | 'settings'>): Finding[] {
  const { issuer, resource, approval, environment } = gateway;
  const { address } = settings;
  const signature =
    approval.signature === 'required'
      ? ok('signature', 'each approval is signed by a phone and verified here')
      : (environment === 'live' && approval.signature === 'off' ? fail : warn)(
          'signature',
          `approvals need no signature (approval.signature: ${approval.signature})`,
          'Set "approval: {signature: required}" in gateway.yaml.',
        );
  if (issuer === address && resource === address) return [signature];
  return [
    signature,
    fail(
      'gateway',
      'gateway.yaml names another address than home.yaml',
      `Set issuer and resource there to ${address}.`,
    ),
  ];
}

async function checkRecord({ folder, stores, gateway }: CheckedHome): Promise<Finding> {
  const { record } = homeFiles(folder);
  const checkpoints = await ownCheckpointReader({ sealSecret: sealSecret(folder) });
  const verdict = await verifyAuditFile(record, stores.audit, checkpoints);
  if (!verdict.ok) {
    return fail(
      'record',
      `${record}, line ${verdict.line}: ${verdict.what}`,
      'Find out who changed it: "trade-agent gateway audit verify" says more.',
    );
  }
  const last = await stores.checkpoints.last();
  const signed = last === undefined || last.seq === 0 ? '' : `; signed up to ${last.day}`;
  if (gateway.anchor !== undefined && last?.anchored === false) {
    return warn(
      'record',
      `${verdict.lines} lines, whole${signed}, but ${gateway.anchor.rfc3161} has not time-stamped that yet`,
      'It is tried again each hour: look whether the authority can be reached ("anchor" in gateway.yaml).',
    );
  }
  return ok('record', `${verdict.lines} lines, whole${signed}`);
}

const LIMIT_MS = 5_000;

/** Whether the name resolves. The settings' schema requires https or localhost. */
async function checkAddress({ address }: HomeSettings): Promise<Finding> {
  if (isLocalAddress(address)) return ok('address', `${address}: for browsers of this machine alone`);
  const { hostname } = new URL(address);
  try {
    const found = await lookup(hostname, { all: true });
    return ok('address', `${address} leads to ${found.map((one) => one.address).join(', ')}`);
  } catch {
    return fail(
      'address',
      `${hostname} can't be resolved from this machine`,
      'Have the name point to this machine, or to the proxy in front of it.',
    );
  }
}

async function checkServed(
  app: Pick<App, 'fetch' | 'signal'>,
  { address }: HomeSettings,
  folder: string,
): Promise<Finding> {
  const running = readHomeReady(homeFiles(folder).ready) !== undefined;
  try {
    const response = await app.fetch(`${address}/.well-known/oauth-protected-resource`, {
      redirect: 'error',
      signal: AbortSignal.any([app.signal, AbortSignal.timeout(LIMIT_MS)]),
    });
    const { resource } = (await response.json()) as { resource?: unknown };
    if (!response.ok || resource !== address) {
      return fail(
        'served',
        `something else answers at ${address}`,
        'Stop it, or give the home another address.',
      );
    }
    return ok('served', `${address} answers`);
  } catch {
    app.signal.throwIfAborted();
    return running
      ? fail(
          'served',
          `the home runs, but ${address} does not lead to it`,
          'Look at the proxy, at "listen" and at "tls" in home.yaml.',
        )
      : skip('served', 'it is not served now: trade-agent home serve');
  }
}

/** A certificate of 90 days is renewed when a third of them are left. */
const SOON_DAYS = 14;

/** @param authorities trusted instead of the system's, for tests */
export async function checkCertificate(
  { clock, signal }: Pick<App, 'clock' | 'signal'>,
  { address, tls }: Pick<HomeSettings, 'address' | 'tls'>,
  authorities?: string,
): Promise<Finding[]> {
  const { protocol, hostname, port } = new URL(address);
  if (protocol !== 'https:') return [];
  const now = clock.now();
  const own = tls === undefined ? [] : [ownFiles(tls, hostname, now)];
  const at = { host: hostname, port: Number(port || 443), ...defined({ ca: authorities }) };
  const found = await peerCertificate(at, signal);
  signal.throwIfAborted();
  return [...own, phonesView(at, found, now)];
}

function ownFiles(tls: NonNullable<HomeSettings['tls']>, host: string, now: number): Finding {
  const check = 'tls';
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(readFileSync(tls.cert));
    if (!certificate.checkPrivateKey(createPrivateKey(readFileSync(tls.key)))) {
      return fail(
        check,
        `${tls.key} is not the key of ${tls.cert}`,
        'Name both files of one certificate under "tls".',
      );
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return fail(
      check,
      `the certificate's files can't be used (${code ?? message})`,
      'Have the home’s user read both; PEM.',
    );
  }
  if (certificate.checkHost(host) === undefined) {
    return fail(check, `${tls.cert} is not for ${host}`, `Have one made out for ${host}.`);
  }
  return lasting(check, `${tls.cert} is for ${host}`, Date.parse(certificate.validTo), now);
}

function phonesView({ host, port }: { host: string; port: number }, found: SeenCertificate, now: number) {
  const check = 'certificate';
  if (found === undefined) return skip(check, `nothing answers at ${host}:${port} yet`);
  if (found.problem === undefined)
    return lasting(check, `${host} is trusted`, Date.parse(found.certificate.valid_to), now);
  return fail(
    check,
    `phones will not trust ${host}: ${found.problem}`,
    'Take a certificate of a public authority for this very name: phones keep passkeys for no other.',
  );
}

function lasting(check: string, message: string, until: number, now: number): Finding {
  const days = Math.floor((until - now) / DAY_MS);
  const details = { valid_to: new Date(until).toISOString() };
  if (days < 0) return fail(check, `${message}, but the certificate has expired`, 'Renew it.', details);
  if (days < SOON_DAYS) {
    return warn(
      check,
      `${message}; the certificate ends in ${days} days`,
      'See why it is not renewed.',
      details,
    );
  }
  return ok(check, `${message}, for ${days} days`, details);
}

type SeenCertificate = { certificate: PeerCertificate; problem: string | undefined } | undefined;

function peerCertificate(at: ConnectionOptions & { host: string }, signal: AbortSignal) {
  return new Promise<SeenCertificate>((resolve) => {
    const socket = connect({ ...at, servername: at.host, rejectUnauthorized: false });
    const end = (found?: SeenCertificate) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      socket.destroy();
      resolve(found);
    };
    const stop = () => end();
    const timer = setTimeout(stop, LIMIT_MS);
    signal.addEventListener('abort', stop, { once: true });
    socket.once('error', stop);
    socket.once('secureConnect', () =>
      end({
        certificate: socket.getPeerCertificate(),
        problem: socket.authorized ? undefined : String(socket.authorizationError),
      }),
    );
  });
}

/** Bytes. Journals grow by about 2 KiB an order; a full disk stops all trading. */
const LITTLE_ROOM = 200 * 1024 ** 2;

/** Whether the folder and everything in it is private to its owner. */
function checkFolder(folder: string): Finding {
  const problem = folderProblem(lstatSync(folder));
  if (problem !== undefined) return fail('folder', `${folder}: ${problem}`, `chmod 700 '${folder}'`);
  if (process.platform === 'win32') return ok('folder', folder);
  for (const name of readdirSync(folder)) {
    // A firm's rules may be root's; reading them checks who could have written them.
    if (name === 'firm') continue;
    const file = join(folder, name);
    const found = lstatSync(file, { throwIfNoEntry: false });
    if (found === undefined) continue;
    if (found.isSymbolicLink())
      return fail('folder', `${file} is a symbolic link`, 'Put the file itself there.');
    if (found.uid !== process.getuid?.())
      return fail('folder', `${file} belongs to another user`, `chown it to the home's own user.`);
    if ((found.mode & 0o077) !== 0) return fail('folder', `others may open ${file}`, `chmod go= '${file}'`);
  }
  const above = dirname(folder);
  const { mode } = statSync(above);
  if ((mode & 0o022) !== 0 && (mode & 0o1000) === 0) {
    return warn(
      'folder',
      `others may write to ${above}, and put another folder in this one's place`,
      `chmod go-w '${above}'`,
    );
  }
  return ok('folder', `${folder}: its owner's alone`);
}

/** Whether the agent of this machine runs as the same user, who can read files of mode 0600. */
function checkSeparation(folder: string, env: NodeJS.ProcessEnv): Finding {
  const owner = lstatSync(folder).uid;
  const agent = statSync(resolveHome(env).data, { throwIfNoEntry: false });
  if (process.platform === 'win32') {
    return warn(
      'user',
      'the agent may run as the same user as the home',
      'Run the home on a machine of its own.',
    );
  }
  if (agent === undefined) return ok('user', 'no agent is set up for this user');
  if (agent.uid !== owner) return ok('user', 'the agent here is another user’s');
  return warn(
    'user',
    'the agent runs as the same user: whatever it is brought to run could read the broker keys here. It could still sign nothing',
    'Run the home as a user of its own ("trade-agent home service"), or on another machine; docs/guide/HOME.md shows both.',
  );
}

function checkDisk(folder: string): Finding {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const message = `${Math.floor(free / 1024 ** 2)} MiB free`;
  return free < LITTLE_ROOM
    ? warn('disk', message, 'Make room: while nothing can be written, nothing is traded.')
    : ok('disk', message);
}

/** Whether the rules can be read and limit each account: nothing is traded while they are wrong. */
async function checkRules({ folder, stores, gateway }: CheckedHome): Promise<Finding[]> {
  try {
    const { written, digest } = await readFolderRules(folder);
    const { limits, texts } = written;
    if (!hasLimits(limits)) {
      return [
        (await stores.limits.hadLimits())
          ? fail('rules', LIMITS_LOST.what, LIMITS_LOST.fix)
          : warn(
              'rules',
              'no limits: whatever is approved goes out',
              'Write limits.yaml; docs/guide/POLICY.md says how.',
            ),
      ];
    }
    const files = texts.length;
    const rules = files === 0 ? '' : `, ${files} ${files === 1 ? 'file' : 'files'} of rules`;
    const accounts = Object.keys(limits?.accounts ?? {}).join(', ');
    const { brokers } = gateway;
    const unmatched = await unmatchedAccounts(limits, { brokers, brokerKeys: stores.brokerKeys });
    return [
      ok('rules', `limits of ${accounts}${rules}; digest ${digest}`),
      ...unmatched.map((message) =>
        warn('rules', message, 'Correct the account number in limits.yaml, or add an entry for "*".'),
      ),
    ];
  } catch (error) {
    const { message, hint } = errorObject(error);
    return [fail('rules', message, hint ?? 'docs/guide/POLICY.md says what may stand there.')];
  }
}
