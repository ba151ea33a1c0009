import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/*
 * Network namespaces of one scenario. With a cable there are three:
 *
 *     gateway 10.77.1.2 ── 10.77.1.1 router 10.77.2.1 ── 10.77.2.2 broker
 *
 * The cable is out while the router drops all packets between them silently. Both ends keep their link, their addresses and
 * their routes, as behind a switch: connections stay open, and what was written stays in the kernel's send queue.
 */

/** Where one scenario plays. */
export interface Namespaces {
  readonly gateway: string;
  /** Undefined if the broker is beside the gateway, on loopback. */
  readonly cable: Cable | undefined;
}

export interface Cable {
  readonly broker: string;
  readonly brokerAddress: string;
  /** Commands that disconnect and reconnect: a program and its arguments. */
  readonly pull: readonly string[];
  readonly reconnect: readonly string[];
}

const BROKER = '10.77.2.2';
const GATEWAY = '10.77.1.2';

const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

let made = 0;

/** What is there now: a test run that is interrupted leaves nothing behind. */
const open = new Set<string>();
process.once('exit', () => {
  for (const name of open) removeNamespace(name);
});

/** Makes them, runs `work`, then kills every process left inside and deletes them. */
export async function withNamespaces<T>(
  options: { readonly cable: boolean },
  work: (namespaces: Namespaces) => Promise<T>,
): Promise<T> {
  const prefix = `ta-net-${process.pid}-${++made}`;
  const names = options.cable ? ['g', 'r', 'b'].map((end) => `${prefix}-${end}`) : [`${prefix}-g`];
  const [gateway, router, broker] = names as [string, string, string];
  const folder = mkdtempSync(join(tmpdir(), 'ta-net-'));
  try {
    for (const name of names) {
      open.add(name);
      ip('netns', 'add', name);
      ip('-n', name, 'link', 'set', 'lo', 'up');
    }
    const cable = options.cable ? layCable({ gateway, router, broker }, folder) : undefined;
    return await work({ gateway, cable });
  } finally {
    for (const name of names) removeNamespace(name);
    rmSync(folder, { recursive: true, force: true });
  }
}

function layCable(
  { gateway, router, broker }: Readonly<Record<'gateway' | 'router' | 'broker', string>>,
  folder: string,
): Cable {
  link(gateway, GATEWAY, router, '10.77.1.1', 'gateway');
  link(broker, BROKER, router, '10.77.2.1', 'broker');
  const forwarding = 'echo 1 > /proc/sys/net/ipv4/ip_forward';
  execFileSync('ip', ['netns', 'exec', router, 'sh', '-c', forwarding]);
  // Both directions in one command.
  const batch = (name: string, verb: string) => {
    const file = join(folder, name);
    writeFileSync(file, [BROKER, GATEWAY].map((address) => `route ${verb} blackhole ${address}/32\n`).join(''));
    return ['ip', '-n', router, '-batch', file];
  };
  return {
    broker,
    brokerAddress: BROKER,
    pull: batch('pull', 'replace'),
    reconnect: batch('reconnect', 'del'),
  };
}

/** Connects an end to the router by a veth pair, and routes everything through it. */
function link(end: string, address: string, router: string, via: string, name: string): void {
  ip('link', 'add', 'eth0', 'netns', end, 'type', 'veth', 'peer', 'name', name, 'netns', router);
  ip('-n', end, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
  ip('-n', router, 'addr', 'add', `${via}/24`, 'dev', name);
  ip('-n', router, 'link', 'set', name, 'up');
  ip('-n', end, 'link', 'set', 'eth0', 'up');
  ip('-n', end, 'route', 'add', 'default', 'via', via);
}

function removeNamespace(name: string): void {
  open.delete(name);
  try {
    // Only processes of this scenario are inside. A stopped one dies of SIGKILL, too.
    for (const pid of ip('netns', 'pids', name).split('\n').filter(Boolean)) {
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It has ended meanwhile.
      }
    }
    ip('netns', 'del', name);
  } catch {
    // It was never made.
  }
}

/** Why this machine cannot play the scenarios; undefined if it can. */
export function missingForNamespaces(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are a feature of Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const probe = `ta-net-probe-${process.pid}`;
  try {
    ip('netns', 'add', probe);
    ip('netns', 'del', probe);
    execFileSync('ss', ['-V'], { stdio: 'ignore' });
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return undefined;
  } catch (error) {
    return `"ip netns", "ss" or "openssl" does not work here: ${error instanceof Error ? error.message : error}`;
  }
}
