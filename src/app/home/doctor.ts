import { createPrivateKey, X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { existsSync, lstatSync, readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ConnectionOptions, connect, type PeerCertificate } from 'node:tls';
import { verifyAuditStores } from '../../approval/audit-verification.ts';
import { toErrorObject } from '../../errors/error-object.ts';
import type { NamedBroker } from '../../gateway/broker/named-broker.ts';
import { isCredentialKind } from '../../gateway/broker/stored-kinds.ts';
import { verifyCredentials } from '../../gateway/broker/verify-keys.ts';
import { LIMITS_LOST_PROBLEM, readFolderRules } from '../../gateway/policy/files/rules-source.ts';
import { findLimitMismatches } from '../../gateway/policy/limited-accounts.ts';
import { hasLimits } from '../../gateway/policy/rules.ts';
import { createGatewayCheckpointReader } from '../../gateway/record-checkpoints.ts';
import { isLocalAddress } from '../../home/settings/home-address.ts';
import type { HomeSettings } from '../../home/settings/home-settings.ts';
import { findFolderRisk, resolveUserDirs } from '../../machine/directories.ts';
import { defined } from '../../values/defined.ts';
import { DAY_MS } from '../../values/durations.ts';
import type { App } from '../app.ts';
import { checkNode } from '../doctor/doctor.ts';
import { type Finding, fail, ok, skip, warn } from '../doctor/finding.ts';
import { createClockFinding } from '../doctor/server-checks.ts';
import { readOrCreateSealSecret } from '../gateway/key-file.ts';
import { readCertificateState } from './certificate.ts';
import { homeFilePaths, readHomeReady } from './home-files.ts';
import { type OpenHome, withHome } from './open-home.ts';
import { isPracticeBroker } from './practice-account.ts';
import { findRecordedProcess } from './tailscale-process.ts';

/**
 * Checks a home without changing anything. Errors from opening the home are also reported as findings.
 * @throws the signal's reason when it aborts
 */
export async function runHomeDoctor(
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
      if (home.settings.acme !== undefined) findings.push(...checkAuthority(home, app.clock.now()));
      if (home.settings.tailscale !== undefined) findings.push(await checkTailscale(folder));
      findings.push(await checkServed(app, home.settings, folder), ...(await checkAccounts(app, home)));
    });
  } catch (error) {
    app.signal.throwIfAborted();
    const { message, hint } = toErrorObject(error);
    findings.push(fail('home', message, hint ?? 'Try again with --verbose.'));
  }
  return findings;
}

/** Checks each person's accounts, and compares this machine's clock with the broker's. */
async function checkAccounts(
  app: Pick<App, 'fetch' | 'clock' | 'signal'>,
  { folder, settings, keyPairs, people, gateway }: CheckedAccounts & Pick<OpenHome, 'people'>,
): Promise<Finding[]> {
  let date: string | null = null;
  const fetch: typeof app.fetch = async (url, init) => {
    const response = await app.fetch(url, init);
    date = response.headers.get('date') ?? date;
    return response;
  };
  const findings: Finding[] = [];
  for (const { username } of await people.list()) {
    findings.push(...(await checkPersonAccounts(username, { folder, settings, keyPairs, gateway, fetch })));
  }
  findings.push(...(await checkUnusedBrokers({ keyPairs, gateway })));
  app.signal.throwIfAborted();
  return [createClockFinding(date, app.clock.now()), ...findings];
}

type CheckedHome = Pick<OpenHome, 'folder' | 'stores' | 'gateway'>;
type CheckedAccounts = Pick<OpenHome, 'folder' | 'settings' | 'keyPairs' | 'gateway'>;
type AccountCheckDeps = CheckedAccounts & Pick<App, 'fetch'>;

async function checkPersonAccounts(username: string, checking: AccountCheckDeps): Promise<Finding[]> {
  const { brokers } = checking.gateway;
  const found = await Promise.all(brokers.map((broker) => checkAccount(username, broker, checking)));
  const known = found.filter((finding) => finding !== undefined);
  if (known.length > 0) return known;
  return [warn('broker', `${username} has no account here`, setKeysCommand(username, checking))];
}

/** If there are several brokers, warns about each broker at which nobody has an account. */
async function checkUnusedBrokers(checking: Pick<OpenHome, 'keyPairs' | 'gateway'>): Promise<Finding[]> {
  const { keyPairs, gateway } = checking;
  if (gateway.brokers.length === 1) return [];
  const kept = gateway.brokers.filter(({ credentials }) => isCredentialKind(credentials));
  const found = await Promise.all(
    kept.map(async (broker) => ((await keyPairs(broker).list()).length === 0 ? [broker] : [])),
  );
  return found.flat().map((broker) => {
    const give = `trade-agent home broker set --broker ${broker.name}`;
    return warn('broker', `nobody has an account at ${broker.name}`, give);
  });
}

function setKeysCommand(
  username: string,
  { gateway: { brokers } }: Pick<OpenHome, 'gateway'>,
  broker?: NamedBroker,
): string {
  const named = brokers.length === 1 ? '' : ` --broker ${broker?.name ?? 'NAME'}`;
  return `trade-agent home broker set --user ${username}${named}`;
}

async function checkAccount(
  username: string,
  broker: NamedBroker,
  checking: AccountCheckDeps,
): Promise<Finding | undefined> {
  const { folder, settings, keyPairs, gateway, fetch } = checking;
  const { environment, brokers } = gateway;
  const who = brokers.length === 1 ? username : `${username} at ${broker.name}`;
  try {
    const kept = await keyPairs(broker).find(username);
    if (kept === undefined) return undefined;
    if (isPracticeBroker(settings, gateway, broker.name) && readHomeReady(homeFilePaths(folder).ready) === undefined)
      return skip('broker', `${who}: practice account ${kept.accountNumber}, available while the home runs`);
    const account = await verifyCredentials(broker, kept.pair, { environment, fetch });
    const message = `${who}: account ${account.accountNumber}, ${account.environment}, ${account.status}`;
    if (account.environment !== environment) {
      return fail(
        'broker',
        `${message}; this home is for ${environment} accounts`,
        'Create a separate home for that account.',
      );
    }
    return account.tradingBlocked
      ? warn('broker', `${message}; trading is blocked`, 'Ask the broker why.')
      : ok('broker', message);
  } catch (error) {
    const { message, hint } = toErrorObject(error);
    return fail('broker', `${who}: ${message}`, hint ?? setKeysCommand(username, checking, broker));
  }
}

/** Checks that each person can approve orders, and could still do so after losing a phone. */
async function checkAuthenticators({ keys, people }: Pick<OpenHome, 'keys' | 'people'>): Promise<Finding[]> {
  const found = await Promise.all(
    (await people.list()).map(async ({ username }) => ({ username, count: (await keys.list(username)).length })),
  );
  return found.map(({ username, count }) => {
    const pair = `trade-agent home pair --user ${username}`;
    if (count === 0) return warn('phones', `${username} has no phone yet, so nothing can be approved`, pair);
    if (count === 1) {
      return warn(
        'phones',
        `${username} has only one authenticator; if it is lost, nothing can be approved`,
        `Pair another one, such as a laptop or a security key: ${pair}`,
      );
    }
    return ok('phones', `${username} has ${count} authenticators`);
  });
}

/** Checks that approvals need a phone's signature, and that both settings files name the same address. */
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
      'gateway.yaml and home.yaml have different addresses',
      `Set issuer and resource in gateway.yaml to ${address}.`,
    ),
  ];
}

async function checkRecord({ folder, stores, gateway }: CheckedHome): Promise<Finding> {
  const checkpoints = await createGatewayCheckpointReader({ sealSecret: readOrCreateSealSecret(folder) });
  const verdict = await verifyAuditStores(stores, checkpoints);
  if (!verdict.ok) {
    return fail(
      'record',
      `line ${verdict.line}: ${verdict.what}`,
      'Find out who changed the audit log. Run "trade-agent gateway audit verify" for details.',
    );
  }
  const last = await stores.checkpoints.last();
  const signed = last === undefined ? '' : `; signed up to ${last.day}`;
  if (gateway.anchor !== undefined && last?.anchored === false) {
    return warn(
      'record',
      `${verdict.lines} entries, intact${signed}, but ${gateway.anchor.rfc3161} has not timestamped them yet`,
      'The gateway retries every hour. Check that the authority can be reached ("anchor" in gateway.yaml).',
    );
  }
  return ok('record', `${verdict.lines} entries, intact${signed}`);
}

const REQUEST_TIMEOUT_MS = 5_000;

/** Checks that the home's host name resolves. The settings' schema already requires https or localhost. */
async function checkAddress({ address }: HomeSettings): Promise<Finding> {
  if (isLocalAddress(address)) return ok('address', `${address}: only for browsers on this machine`);
  const { hostname } = new URL(address);
  try {
    const found = await lookup(hostname, { all: true });
    return ok('address', `${address} resolves to ${found.map((one) => one.address).join(', ')}`);
  } catch {
    return fail(
      'address',
      `${hostname} can't be resolved from this machine`,
      'Point its DNS record to this machine, or to the proxy in front of it.',
    );
  }
}

/** Checks for a Tailscale command left behind by a killed home, which would block the home's address. */
async function checkTailscale(folder: string): Promise<Finding> {
  const { ready, tailscale } = homeFilePaths(folder);
  const pid = await findRecordedProcess(tailscale);
  if (pid === undefined) return skip('tailscale', 'no Tailscale command is running for this home');
  if (readHomeReady(ready) !== undefined) return ok('tailscale', `Tailscale forwards to the home (process ${pid})`);
  return warn(
    'tailscale',
    `a home that was killed left its Tailscale command running (process ${pid})`,
    `Start the home, which ends that command, or run: kill ${pid}`,
  );
}

async function checkServed(
  app: Pick<App, 'fetch' | 'signal'>,
  { address }: HomeSettings,
  folder: string,
): Promise<Finding> {
  const running = readHomeReady(homeFilePaths(folder).ready) !== undefined;
  try {
    const response = await app.fetch(`${address}/.well-known/oauth-protected-resource`, {
      redirect: 'error',
      signal: AbortSignal.any([app.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    });
    const { resource } = (await response.json()) as { resource?: unknown };
    if (!response.ok || resource !== address) {
      return fail(
        'served',
        `another server responds at ${address}`,
        'Stop that server, or give the home another address.',
      );
    }
    return ok('served', `${address} responds`);
  } catch {
    app.signal.throwIfAborted();
    return running
      ? fail(
          'served',
          `the home is running, but can't be reached at ${address}`,
          'Check the proxy, and "listen" and "tls" in home.yaml.',
        )
      : skip('served', 'not running: trade-agent home serve');
  }
}

/** Number of days before expiry at which to warn. 90-day certificates are usually renewed 30 days before expiry. */
const EXPIRY_WARNING_DAYS = 14;

/** Checks a certificate of the home. @param authorities certificate authorities to trust instead of the system's */
export async function checkCertificate(
  { clock, signal }: Pick<App, 'clock' | 'signal'>,
  { address, tls }: Pick<HomeSettings, 'address' | 'tls'>,
  authorities?: string,
): Promise<Finding[]> {
  const { protocol, hostname, port } = new URL(address);
  if (protocol !== 'https:') return [];
  const now = clock.now();
  const own = tls === undefined ? [] : [checkCertificateFiles(tls, hostname, now)];
  const at = { host: hostname, port: Number(port || 443), ...defined({ ca: authorities }) };
  const found = await peerCertificate(at, signal);
  signal.throwIfAborted();
  return [...own, checkTrust(at, found, now)];
}

/** Checks the certificate that the home obtained by itself, and the last attempt to renew it. */
function checkAuthority({ folder, settings }: Pick<OpenHome, 'folder' | 'settings'>, now: number): Finding[] {
  const { hostname } = new URL(settings.address);
  const { certificate: file } = homeFilePaths(folder);
  try {
    const { last_failure: failure } = readCertificateState(folder) ?? {};
    const failed =
      failure === undefined
        ? []
        : [warn('acme', `the last attempt failed at ${failure.at}: ${failure.message}`, failure.hint)];
    if (existsSync(file)) return [checkCertificateFiles({ cert: file, key: file }, hostname, now), ...failed];
    return failed.length > 0 ? failed : [skip('acme', 'no certificate yet: "trade-agent home serve" gets one')];
  } catch (error) {
    const { message, hint } = toErrorObject(error);
    return [fail('acme', message, hint ?? 'Remove the file.')];
  }
}

function checkCertificateFiles(tls: NonNullable<HomeSettings['tls']>, host: string, now: number): Finding {
  const check = 'tls';
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(readFileSync(tls.cert));
    if (!certificate.checkPrivateKey(createPrivateKey(readFileSync(tls.key)))) {
      return fail(
        check,
        `${tls.key} is not the private key for ${tls.cert}`,
        'Set both files of the same certificate under "tls".',
      );
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return fail(
      check,
      `the certificate files can't be used (${code ?? message})`,
      'Use PEM files that the home’s user can read.',
    );
  }
  if (certificate.checkHost(host) === undefined) {
    return fail(check, `${tls.cert} is not for ${host}`, `Get a certificate for ${host}.`);
  }
  return validityFinding(check, `${tls.cert} is for ${host}`, Date.parse(certificate.validTo), now);
}

function checkTrust({ host, port }: { host: string; port: number }, found: PeerCertificateResult, now: number) {
  const check = 'certificate';
  if (found === undefined) return skip(check, `nothing responds at ${host}:${port} yet`);
  if (found.problem === undefined)
    return validityFinding(check, `${host} is trusted`, Date.parse(found.certificate.valid_to), now);
  return fail(
    check,
    `phones will not trust ${host}: ${found.problem}`,
    "Use a certificate from a public authority for exactly this name. Otherwise phones won't create passkeys.",
  );
}

function validityFinding(check: string, message: string, until: number, now: number): Finding {
  const days = Math.floor((until - now) / DAY_MS);
  const details = { valid_to: new Date(until).toISOString() };
  if (days < 0) return fail(check, `${message}, but the certificate has expired`, 'Renew the certificate.', details);
  if (days < EXPIRY_WARNING_DAYS) {
    return warn(
      check,
      `${message}; the certificate expires in ${days} days`,
      'Find out why the certificate is not being renewed.',
      details,
    );
  }
  return ok(check, `${message}, valid for ${days} more days`, details);
}

type PeerCertificateResult = { certificate: PeerCertificate; problem: string | undefined } | undefined;

function peerCertificate(at: ConnectionOptions & { host: string }, signal: AbortSignal) {
  return new Promise<PeerCertificateResult>((resolve) => {
    const socket = connect({ ...at, servername: at.host, rejectUnauthorized: false });
    const end = (found?: PeerCertificateResult) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      socket.destroy();
      resolve(found);
    };
    const stop = () => end();
    const timer = setTimeout(stop, REQUEST_TIMEOUT_MS);
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

/** Minimum free disk space in bytes. Databases grow by about 2 KiB per order, and a full disk stops all trading. */
const MIN_FREE_BYTES = 200 * 1024 ** 2;

/** Checks that the folder and all its files are private to the folder's owner. */
function checkFolder(folder: string): Finding {
  const problem = findFolderRisk(lstatSync(folder));
  if (problem !== undefined) return fail('folder', `${folder}: ${problem}`, `chmod 700 '${folder}'`);
  if (process.platform === 'win32') return ok('folder', folder);
  for (const name of readdirSync(folder)) {
    // Skips a firm's rules, which may belong to root. The code that reads the rules checks who can write them.
    if (name === 'firm') continue;
    const file = join(folder, name);
    const found = lstatSync(file, { throwIfNoEntry: false });
    if (found === undefined) continue;
    if (found.isSymbolicLink())
      return fail('folder', `${file} is a symbolic link`, 'Replace the link with the file itself.');
    if (found.uid !== process.getuid?.())
      return fail('folder', `${file} belongs to another user`, `Make the home's own user its owner (chown).`);
    if ((found.mode & 0o077) !== 0) return fail('folder', `other users can open ${file}`, `chmod go= '${file}'`);
  }
  const above = dirname(folder);
  const { mode } = statSync(above);
  if ((mode & 0o022) !== 0 && (mode & 0o1000) === 0) {
    return warn(
      'folder',
      `other users can write to ${above}, so they could replace this folder`,
      `chmod go-w '${above}'`,
    );
  }
  return ok('folder', `${folder}: private to you`);
}

/** Checks whether the agent on this machine runs as the home's user. If so, it could read the home's secret files. */
function checkSeparation(folder: string, env: NodeJS.ProcessEnv): Finding {
  const owner = lstatSync(folder).uid;
  const agent = statSync(resolveUserDirs(env).data, { throwIfNoEntry: false });
  if (process.platform === 'win32') {
    return warn('user', 'the agent may run as the same user as the home', 'Run the home on a separate machine.');
  }
  if (agent === undefined) return ok('user', 'no agent is set up for this user');
  if (agent.uid !== owner) return ok('user', 'the agent here belongs to another user');
  return warn(
    'user',
    'the agent runs as the same user, so a program that the agent is tricked into running could read the broker keys here. The program still could not sign approvals',
    'Run the home as its own user ("trade-agent home service") or on another machine. See docs/guide/HOME.md.',
  );
}

function checkDisk(folder: string): Finding {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const message = `${Math.floor(free / 1024 ** 2)} MiB free`;
  return free < MIN_FREE_BYTES
    ? warn('disk', message, 'Free up space. When the disk is full, trading stops.')
    : ok('disk', message);
}

/** Checks that the rules are valid and that each account has limits. Invalid rules stop all trading. */
async function checkRules({ folder, stores, gateway }: CheckedHome): Promise<Finding[]> {
  try {
    const { written, digest } = await readFolderRules(folder);
    const { limits, texts } = written;
    if (!hasLimits(limits)) {
      return [
        (await stores.limits.hadLimits())
          ? fail('rules', LIMITS_LOST_PROBLEM.what, LIMITS_LOST_PROBLEM.fix)
          : warn('rules', 'no limits: any approved order is sent', 'Create limits.yaml. See docs/guide/POLICY.md.'),
      ];
    }
    const files = texts.length;
    const rules = files === 0 ? '' : `, ${files} rules ${files === 1 ? 'file' : 'files'}`;
    const accounts = Object.keys(limits?.accounts ?? {}).join(', ');
    const { brokers } = gateway;
    const unmatched = await findLimitMismatches(limits, { brokers, brokerKeys: stores.brokerKeys });
    return [
      ok('rules', `limits for ${accounts}${rules}; digest ${digest}`),
      ...unmatched.map((message) =>
        fail('rules', message, 'Fix the account number in limits.yaml, or add an entry for the account or for "*".'),
      ),
    ];
  } catch (error) {
    const { message, hint } = toErrorObject(error);
    return [fail('rules', message, hint ?? 'See docs/guide/POLICY.md for the format.')];
  }
}
