import type { Document } from 'yaml';
import { readRequiredFile } from '../../config/required-file.ts';
import { parseYaml, parseYamlDocument } from '../../config/yaml-file.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { gatewaySettingsSchema } from '../../gateway/gateway-settings.ts';
import { homeSettingsSchema } from '../../home/settings/home-settings.ts';
import { writePrivateFile } from '../../machine/private-file.ts';
import { withProcessLock } from '../../machine/process-lock.ts';
import type { App } from '../app.ts';
import { homeFilePaths, readHomeSettings } from './home-files.ts';
import type { NewHome } from './init-home.ts';
import { type OpenHome, requireOwnHomeFolder, withMovedHome } from './open-home.ts';

/** Settings that determine how phones reach a home. */
export type HomeReach = Pick<NewHome['settings'], 'address' | 'tailscale' | 'tls' | 'acme' | 'listen' | 'proxy'>;

const REACH_KEYS = ['address', 'listen', 'tls', 'acme', 'tailscale', 'proxy'] as const;

/**
 * Moves a stopped home to another address. Phones must be paired again, because a passkey works only at the address for
 * which it was created. The old passkeys stay stored. Sign-ins end, because their tokens are from the former issuer.
 * The gateway keeps its identifier, so that open proposals, mandates, receipts and the audit log stay valid. Approval
 * is requested again at the next start for undecided proposals. Each step may be repeated. After an interruption, the
 * same command completes the move. If several processes serve the home, the same command gives each of their folders the
 * new address; only the first one moves the home.
 * @throws {TradeAgentError} `busy` while the home runs or executes an order; `usage`, `invalid_config`
 */
export async function setHomeAddress(app: Pick<App, 'clock' | 'env'>, folder: string, reach: HomeReach) {
  requireOwnHomeFolder(folder);
  const files = homeFilePaths(folder);
  return await withProcessLock(files.lock, { what: `the home ${folder}`, waitMs: 0 }, async () => {
    const { address: before } = await readHomeSettings(folder);
    const settings = await withReach(files.settings, reach);
    return await withMovedHome(app, folder, async (home) => {
      const { served } = home;
      const gateway = await withAddress(files.gateway, reach.address, home.gateway.identifier ?? home.gateway.resource);
      const isMoved = (await served?.claim(before)) === reach.address;
      const askedAgain = isMoved ? 0 : await moveHome(app, home, before, reach.address);
      writePrivateFile(files.gateway, gateway);
      writePrivateFile(files.settings, settings);
      return { before, address: reach.address, askedAgain };
    });
  });
}

/** Changes everything in the home's database that depends on its address. @returns how many proposals are asked again */
async function moveHome(
  { clock }: Pick<App, 'clock'>,
  home: OpenHome,
  before: string,
  address: string,
): Promise<number> {
  if ((await home.served?.lock()) === false) {
    throw new TradeAgentError('busy', 'the home still runs on another machine', {
      hint: 'Stop all of its processes, then run this command again. Nothing was changed.',
    });
  }
  const askedAgain = await askAgain(home);
  await home.endAllSignIns();
  for (const { username } of await home.people.list()) {
    await home.pushes.endPerson(username);
    if (before === address) continue;
    const facts = { sub: username, from: before, to: address, by: 'machine' };
    await home.stores.audit.note({ event: 'address_changed', facts }, clock.now());
  }
  await home.served?.set(address);
  return askedAgain;
}

/** Withdraws open approval requests, to send them again. @returns their number @throws {TradeAgentError} `busy` */
async function askAgain({ stores, transitions }: Pick<OpenHome, 'stores' | 'transitions'>): Promise<number> {
  const open = await stores.proposals.list({ state: 'open' });
  const underWay = open.filter(({ state }) => state !== 'drafted' && state !== 'requested');
  if (underWay.length > 0) {
    throw new TradeAgentError('busy', `${underWay.length} approved proposals are not completed yet`, {
      hint: 'Run the home until their outcome is known ("trade-agent home status"), then run this command again. Nothing was changed.',
    });
  }
  for (const proposal of open) if (proposal.state === 'requested') await transitions.move(proposal, 'drafted');
  return open.length;
}

/** Returns home.yaml with other settings for how phones reach the home. Preserves comments. */
async function withReach(file: string, reach: HomeReach): Promise<string> {
  const document = await readDocument(file);
  for (const key of REACH_KEYS) {
    if (reach[key] === undefined) document.delete(key);
    else document.set(key, document.createNode(reach[key]));
  }
  const text = document.toString();
  await parseYaml(homeSettingsSchema, text, file);
  return text;
}

async function withAddress(file: string, address: string, identifier: string): Promise<string> {
  const document = await readDocument(file);
  document.set('issuer', address);
  document.set('resource', address);
  if (identifier === address) document.delete('identifier');
  else document.set('identifier', identifier);
  document.setIn(['approval', 'phone_url'], `${address}/phone`);
  const text = document.toString();
  await parseYaml(gatewaySettingsSchema, text, file);
  return text;
}

async function readDocument(file: string): Promise<Document> {
  return (await parseYamlDocument(readRequiredFile(file, 'home', 'Check that this folder is a home.'), file)).document;
}
