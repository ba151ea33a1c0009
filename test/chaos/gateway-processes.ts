import Database from 'better-sqlite3-multiple-ciphers';
import type { Quotas } from '../../src/approval/quotas.ts';
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts';
import type { HttpServer } from '../../src/net/http-server.ts';
import { questionSeal } from '../../src/store/rows/question-id.ts';
import { sqliteGatewayStores } from '../../src/store/sqlite/gateway-stores.ts';
import type { Activity } from './activity.ts';
import { distantStores } from './distant-stores.ts';
import { Gone, Life, livingDatabase } from './life.ts';
import type { Network, Sent } from './network.ts';
import type { Provider } from './provider.ts';
import type { MachineClock, SimClock } from './sim-clock.ts';
import type { SharedKeys, WorldOptions } from './world.ts';

/** Small, so that histories reach them; where orders need no question, not so small that little is ordered. */
export const quotasOf = ({ mandates }: Pick<WorldOptions, 'mandates'>): Quotas =>
  mandates === undefined
    ? { own: { open: 4, hour: 12 }, other: { open: 2, hour: 6 } }
    : { own: { open: 6, hour: 60 }, other: { open: 2, hour: 6 } };
/** What people's key pairs at the broker, and approvals' tokens, are sealed under. */
export const SEAL = 'of the gateway';

interface GatewayParts {
  /** Among the processes over the same files; the first is 0. */
  readonly number: number;
  readonly keys: SharedKeys;
  readonly options: WorldOptions;
  readonly server: HttpServer;
  readonly provider: Provider;
  readonly paper: { readonly url: string };
  readonly network: Network;
  readonly activity: Activity;
  readonly clock: SimClock;
  /** Its machine's. */
  readonly machine: MachineClock;
  readonly files: { readonly database: string; readonly audit: string };
  readonly troubles: string[];
}

/** One gateway after the other, over the same files. */
export class GatewayProcesses {
  before: (sent: Sent) => Promise<void> = async () => undefined;
  readonly #parts: GatewayParts;
  readonly #databases: Database.Database[] = [];
  #life: Life;
  #gateway: Gateway;

  constructor(parts: GatewayParts) {
    this.#parts = parts;
    [this.#life, this.#gateway] = this.#open();
  }

  get life(): Life {
    return this.#life;
  }

  get gateway(): Gateway {
    return this.#gateway;
  }

  start(): void {
    [this.#life, this.#gateway] = this.#open();
  }

  bury(): void {
    for (const database of this.#databases) database.close();
  }

  #open(): [Life, Gateway] {
    const { keys, options, server, provider, paper, network, activity, machine, clock, files, troubles } =
      this.#parts;
    const { number } = this.#parts;
    const name = `gateway ${this.#databases.length + 1}`;
    const life = new Life(number === 0 ? name : `other ${name}`, activity);
    const database = new Database(files.database);
    this.#databases.push(database);
    const near = sqliteGatewayStores(livingDatabase(database, life), questionSeal(SEAL));
    const gateway = createGateway({
      issuer: provider.url,
      resource: server.url,
      exchange: { client_id: 'gateway', privateKey: keys.gateway.privateKey, audience: 'paper-broker' },
      environment: 'paper',
      brokers: [
        {
          ...{ name: 'broker', kind: 'alpaca', trading_url: paper.url, simulated: true },
          ...(options.mandates === 'key_pair' ? { credentials: 'key_pair' } : {}),
        },
      ],
      sealSecret: SEAL,
      approval: {
        method: 'ciba',
        signature: 'off',
        client: { id: 'gateway' },
        privateKey: keys.gateway.privateJwk,
        sealSecret: SEAL,
        details: options.details,
        delivery: options.delivery,
        auditFile: files.audit,
        maxTtl: 3_600,
        quotas: quotasOf(options),
      },
      ownClients: ['trade-agent'],
      stores: options.distant ? distantStores(near, life, activity) : near,
      clock: life.clock({
        now: () => machine.now(),
        monotonic: () => machine.monotonic(),
        sleep: (ms, signal) => activity.asleep('agent-gateway', clock.sleep(ms, signal)),
      }),
      fetch: network.fetchFor(
        life,
        machine,
        ({ origin }) => (origin === provider.url ? 'gateway-provider' : 'gateway-broker'),
        (sent) => this.before(sent),
      ),
      onError: (message) => {
        // A record that can't be written to is told of, and has a step of its own.
        if (!life.dead && !message.startsWith(Gone.name) && !message.includes('EISDIR'))
          troubles.push(`${life.name}: ${message}`);
      },
    });
    network.gateways[number] = { life, answer: (request) => gateway.app.fetch(request) };
    return [life, gateway];
  }
}
