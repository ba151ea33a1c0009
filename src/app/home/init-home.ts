import type { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import type { StoredCredentials } from '../../gateway/broker/stored-kinds.ts';
import { verifyCredentials } from '../../gateway/broker/verify-keys.ts';
import type { VerifiedAccount } from '../../gateway/broker/verify-problems.ts';
import type { gatewaySettingsSchema } from '../../gateway/gateway-settings.ts';
import { readLimits } from '../../gateway/policy/files/rules-source.ts';
import type { Limits } from '../../gateway/policy/rules.ts';
import { LOGIN_CLIENT_ID } from '../../home/identity-provider/protocol/protocol.ts';
import { homeSettingsSchema } from '../../home/settings/home-settings.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { writePrivateFile } from '../../machine/private-file.ts';
import type { Person } from '../../store/home/people.ts';
import type { App } from '../app.ts';
import { createClientKey, readOrCreateSealSecret } from '../gateway/key-file.ts';
import type { BrokerEntry } from './brokers.ts';
import {
  createHomeFolder,
  homeFilePaths,
  readGatewaySettings,
  readHomeSettings,
  requireUnusedFolder,
} from './home-files.ts';
import { withHome } from './open-home.ts';

/** The gateway's OAuth client ID at the home's identity provider. The client's key is in the home's folder. */
const GATEWAY_CLIENT_ID = 'trade-agent-gateway';

export interface VerifiedNewAccount {
  readonly pair: StoredCredentials;
  readonly account: VerifiedAccount;
  readonly entry: BrokerEntry;
}

export interface NewHome {
  readonly folder: string;
  readonly settings: z.input<typeof homeSettingsSchema>;
  readonly owner: Person;
  readonly opened: VerifiedNewAccount;
  /** The broker's name in gateway.yaml. Undefined if it is the only broker, which needs no name. */
  readonly brokerName?: string | undefined;
  readonly limits: Limits;
}

export type CreatedHome = Awaited<ReturnType<typeof initHome>>;

/**
 * Verifies broker credentials. Changes nothing on this machine or at the broker.
 * @param environment used only for a broker at a custom address, which does not reveal whether it is paper or live
 * @throws {TradeAgentError} `usage`, `broker_rejected`, `broker_unreachable`
 */
export async function verifyNewAccount(
  { fetch }: Pick<App, 'fetch'>,
  entry: BrokerEntry,
  pair: StoredCredentials,
  environment: 'paper' | 'live',
): Promise<VerifiedNewAccount> {
  return { pair, account: await verifyCredentials(entry.settings, pair, { environment, fetch }), entry };
}

/**
 * Creates a home, completely or not at all.
 * @returns the recovery code (120 bits), to be shown once; it allows reading, denying and halting, but no approvals
 * @throws {TradeAgentError} `usage` if the folder contains a home or can't become one; `busy`
 */
export async function initHome(app: Pick<App, 'clock' | 'env'>, home: NewHome) {
  requireUnusedFolder(home.folder);
  requireValidSettings(home.settings);
  return await createHomeFolder(home.folder, async (part) => {
    const { stringify } = await import('yaml');
    const { settings, gateway, limits } = homeFilePaths(part);
    const write = (file: string, about: string, content: unknown) =>
      writePrivateFile(file, `# ${about}\n${stringify(content)}`);
    await createClientKey(part, 'EC');
    failpoint('init.keyed');
    readOrCreateSealSecret(part);
    failpoint('init.sealed');
    write(settings, 'The address of this home, and how its owner is notified: docs/guide/HOME.md.', home.settings);
    failpoint('init.addressed');
    write(gateway, 'Settings of its gateway: docs/operate/GATEWAY.md.', gatewaySettings(home));
    failpoint('init.served');
    write(limits, 'Limits on orders: docs/operate/GATEWAY.md.', home.limits);
    failpoint('init.limited');
    // Validates the written files before the folder gets its final name.
    await readHomeSettings(part);
    await readGatewaySettings(part);
    await readLimits(part);
    return await withHome(app, part, async ({ people, keyPairs, gateway: { brokers }, recoveryCodes }) => {
      await people.add(home.owner);
      failpoint('init.peopled');
      const { username } = home.owner;
      for (const broker of brokers) await keyPairs(broker).keep(username, home.opened.pair, home.opened.account);
      failpoint('account.kept');
      return { recoveryCode: await recoveryCodes.issue(username) };
    });
  });
}

/** Validates the person's settings before they are written, so that error messages don't refer to a file. */
function requireValidSettings(settings: NewHome['settings']): void {
  const [issue] = homeSettingsSchema.safeParse(settings).error?.issues ?? [];
  if (issue === undefined) return;
  throw new TradeAgentError('usage', `${issue.path.join('.')}: ${issue.message}`, {
    hint: 'Run "trade-agent home init --help" for details. Nothing was written.',
  });
}

function gatewaySettings({ settings, opened, brokerName }: NewHome): z.input<typeof gatewaySettingsSchema> {
  const { address } = settings;
  return {
    issuer: address,
    resource: address,
    environment: opened.account.environment,
    ...(brokerName === undefined
      ? { broker: opened.entry.written }
      : { brokers: { [brokerName]: opened.entry.written } }),
    approval: {
      client_id: GATEWAY_CLIENT_ID,
      signature: 'required',
      delivery: 'ping',
      phone_url: `${address}/phone`,
    },
    own_clients: [LOGIN_CLIENT_ID],
  };
}
