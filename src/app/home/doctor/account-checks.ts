import { verifyAuditFile } from '../../../approval/audit-chain.ts';
import { errorObject } from '../../../errors/error-object.ts';
import { isKept } from '../../../gateway/broker/kept-kinds.ts';
import type { NamedBroker } from '../../../gateway/broker/named-broker.ts';
import { verifyCredentials } from '../../../gateway/broker/verify-keys.ts';
import { ownCheckpointReader } from '../../../gateway/record-checkpoints.ts';
import type { App } from '../../app.ts';
import { type Finding, fail, ok, warn } from '../../doctor/finding.ts';
import { clockFinding } from '../../doctor/server-checks.ts';
import { sealSecret } from '../../gateway/key-file.ts';
import { homeFiles } from '../home-files.ts';
import type { OpenHome } from '../open-home.ts';

/** Each person's account, asked at the broker; and this machine's clock by the broker's. */
export async function checkAccounts(
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

type Checking = Pick<OpenHome, 'keyPairs' | 'gateway'> & Pick<App, 'fetch'>;

/** At each broker; a person needs an account at one of them alone. */
async function accountsOf(username: string, checking: Checking): Promise<Finding[]> {
  const { brokers } = checking.gateway;
  const found = await Promise.all(brokers.map((broker) => checkAccount(username, broker, checking)));
  const known = found.filter((finding) => finding !== undefined);
  if (known.length > 0) return known;
  return [warn('broker', `${username} has no account here`, setKeys(username, checking))];
}

/** Of several: those at which nobody has an account. */
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

/** Whether each person can approve, and still could with one phone less. */
export async function checkAuthenticators({
  keys,
  people,
}: Pick<OpenHome, 'keys' | 'people'>): Promise<Finding[]> {
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
export function checkSignature({ gateway, settings }: Pick<OpenHome, 'gateway' | 'settings'>): Finding[] {
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

/** Whether the record of what was proposed, approved and carried out is whole, and is vouched for where that is set. */
export async function checkRecord({
  folder,
  stores,
  gateway,
}: Pick<OpenHome, 'folder' | 'stores' | 'gateway'>): Promise<Finding> {
  const { record } = homeFiles(folder);
  const verdict = await verifyAuditFile(
    record,
    stores.audit,
    await ownCheckpointReader({ sealSecret: sealSecret(folder) }),
  );
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
