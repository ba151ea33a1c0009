import Database from 'better-sqlite3-multiple-ciphers';
import type { Quotas } from '../../src/approval/kernel/quotas.ts';
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts';
import { createStaticRulesSource, limitsSchema } from '../../src/gateway/policy/rules.ts';
import type { HttpServer } from '../../src/net/http-server.ts';
import type { GatewayStores } from '../../src/store/gateway-stores.ts';
import { createAuthReqIdSeal } from '../../src/store/rows/auth-req-id.ts';
import { createSqliteGatewayStores } from '../../src/store/sqlite/gateway-stores.ts';
import type { Activity } from './activity.ts';
import { distantStores } from './distant-stores.ts';
import { Gone, Life, livingDatabase, type StatementWatch, StoreAway } from './life.ts';
import type { Network, Sent } from './network.ts';
import type { Provider } from './provider.ts';
import type { MachineClock, SimClock } from './sim-clock.ts';
import type { SharedKeys, WorldOptions } from './world.ts';

/** Small, so that histories reach them; where orders need no question, not so small that little is ordered. */
export const quotasOf = ({ mandates }: Pick<WorldOptions, 'mandates'>): Quotas =>
  mandates === undefined
    ? { own: { open: 4, hour: 12 }, other: { open: 2, hour: 6 } }
    : { own: { open: 6, hour: 60 }, other: { open: 2, hour: 6 } };
/** So that orders for more take two people, and others do not. */
const SECOND_PERSON = limitsSchema.parse({ accounts: { '*': { second_person_above: '300' } } });
/** What people's key pairs at the broker, and approvals' tokens, are sealed under. */
export const SEAL = 'of the gateway';

interface GatewayParts {
  readonly number: number;
  readonly keys: SharedKeys;
  readonly options: WorldOptions;
  readonly server: HttpServer;
  readonly provider: Provider;
  readonly paper: { readonly url: string };
  readonly network: Network;
  readonly activity: Activity;
  readonly clock: SimClock;
  readonly machine: MachineClock;
  readonly files: { readonly database: string };
  readonly troubles: string[];
}

export class GatewayProcesses {
  before: (sent: Sent) => Promise<void> = async () => undefined;
  readonly #parts: GatewayParts;
  readonly #databases: Database.Database[] = [];
  #life: Life;
  #gateway: Gateway;
  #overtakes = false;

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

  /** The next withdrawal finds that its proposal has changed since it was read. */
  overtakeWithdrawal(): void {
    this.#overtakes = true;
  }

  #overtaken(stores: GatewayStores, database: Database.Database): GatewayStores {
    const { proposals } = stores;
    const change: typeof proposals.change = async (seen, after, ...rest) => {
      if (this.#overtakes && after.state === 'cancelled') {
        this.#overtakes = false;
        const bump = 'UPDATE proposals SET version = (SELECT max(version) + 1 FROM proposals) WHERE id = ?';
        database.prepare(bump).run(seen.id);
      }
      return await proposals.change(seen, after, ...rest);
    };
    return { ...stores, proposals: { ...proposals, change } };
  }

  #open(): [Life, Gateway] {
    const { keys, options, server, provider, paper, network, activity, machine, clock, files, troubles } = this.#parts;
    const { number } = this.#parts;
    const name = `gateway ${this.#databases.length + 1}`;
    const life = new Life(number === 0 ? name : `other ${name}`, activity);
    const database = new Database(files.database);
    this.#databases.push(database);
    const near = this.#overtaken(
      createSqliteGatewayStores(
        livingDatabase(database, life, noteConclusions(network, life)),
        createAuthReqIdSeal(SEAL),
      ),
      database,
    );
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
        maxTtl: 3_600,
        quotas: quotasOf(options),
      },
      ownClients: ['trade-agent'],
      ...(options.second === true ? { rules: createStaticRulesSource(SECOND_PERSON) } : {}),
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
        // A record that can't be written to and a store that is away are told of, and have steps of their own.
        const isExpected = message.startsWith(Gone.name) || message.includes(StoreAway.name);
        if (!life.dead && !isExpected && !message.includes('EISDIR')) troubles.push(`${life.name}: ${message}`);
      },
    });
    network.gateways[number] = { life, answer: (request) => gateway.app.fetch(request) };
    return [life, gateway];
  }
}

/** Sees in the journal's own statements that an order is concluded not to have been placed. */
function noteConclusions(network: Network, life: Life): StatementWatch {
  return (sql, [values]) => {
    if (!sql.includes('UPDATE gateway_orders') || !sql.includes("state = 'rejected'")) return;
    const { clientOrderId, result, reservedUntil } = values as Record<string, string> & {
      readonly reservedUntil?: number;
    };
    if (clientOrderId !== undefined && result?.includes('"not_placed"') === true)
      network.concluded(life, clientOrderId, reservedUntil);
  };
}
