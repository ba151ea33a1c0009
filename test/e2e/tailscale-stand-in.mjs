#!/usr/bin/env node
// Stands in for Tailscale's command line tool: the JSON of `ipnstate.Status` and `ipn.ServeConfig`, and the lines that
// `tailscale serve` and `tailscale funnel` print (cmd/tailscale/cli of 1.102). `npm run test:tailnet` runs the real program.
// Its folder says what the network allows; each call is written to `calls` there.
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const folder = dirname(process.argv[1]);
const args = process.argv.slice(2);
const command = args.join(' ');
appendFileSync(join(folder, 'calls'), `${JSON.stringify({ args, env: Object.keys(process.env).sort() })}\n`);
const { name, refuses, ends, ...status } = JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8'));
const allowed = () => existsSync(join(folder, 'allowed'));
const served = join(folder, 'serve-config.json');

if (refuses?.[args[0]] !== undefined) fail(refuses[args[0]]);
else if (command === 'status --json --peers=false') printJson(toStatus());
else if (command === 'serve status --json') {
  // With the line feed that `status` leaves out.
  printJson(existsSync(served) ? JSON.parse(readFileSync(served, 'utf8')) : {}, '\n');
} else if (args.length === 2 && (args[0] === 'funnel' || args[0] === 'serve')) forward(args[0], args[1]);
else fail(`flag provided but not defined: ${command}`);

function printJson(value, end = '') {
  process.stdout.write(JSON.stringify(value, undefined, 2) + end);
}

function fail(text) {
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}

function toStatus() {
  const suffix = name.slice(name.indexOf('.') + 1);
  const ports = 'https://tailscale.com/cap/funnel-ports?ports=443,8443,10000';
  const capabilities = {
    'https://tailscale.com/cap/is-admin': null,
    ...(allowed() ? { funnel: null, https: null, [ports]: null } : {}),
  };
  const addresses = ['100.64.0.7', 'fd7a:115c:a1e0::7'];
  return {
    Version: '1.102.5-t0123456789-g0123456789',
    TUN: true,
    BackendState: 'Running',
    HaveNodeKey: true,
    AuthURL: '',
    TailscaleIPs: addresses,
    Self: {
      ID: 'n1',
      NodeID: 1,
      PublicKey: `nodekey:${'0'.repeat(64)}`,
      HostName: 'nas',
      DNSName: `${name}.`,
      OS: 'linux',
      UserID: 1,
      TailscaleIPs: addresses,
      AllowedIPs: ['100.64.0.7/32', 'fd7a:115c:a1e0::7/128'],
      Addrs: [],
      CurAddr: '',
      Relay: '',
      PeerRelay: '',
      RxBytes: 0,
      TxBytes: 0,
      Created: '2026-12-01T10:00:00Z',
      LastWrite: '0001-01-01T00:00:00Z',
      LastSeen: '0001-01-01T00:00:00Z',
      LastHandshake: '0001-01-01T00:00:00Z',
      Online: true,
      ExitNode: false,
      ExitNodeOption: false,
      Active: false,
      PeerAPIURL: ['http://100.64.0.7:41641', 'http://[fd7a:115c:a1e0::7]:41641'],
      TaildropTarget: 0,
      NoFileSharingReason: '',
      Capabilities: [
        'HTTPS://TAILSCALE.COM/s/DEPRECATED-NODE-CAPS#see-https://github.com/tailscale/tailscale/issues/11508',
        ...Object.keys(capabilities),
      ],
      CapMap: capabilities,
      InNetworkMap: true,
      InMagicSock: false,
      InEngine: false,
    },
    Health: [],
    MagicDNSSuffix: suffix,
    CurrentTailnet: { Name: 'ada@example.com', MagicDNSSuffix: suffix, MagicDNSEnabled: true },
    CertDomains: allowed() ? [name] : null,
    ExtraRecords: null,
    Peer: null,
    User: { 1: { ID: 1, LoginName: 'ada@example.com', DisplayName: 'Ada' } },
    ClientVersion: null,
    ...status,
  };
}

function forward(mode, target) {
  const where = mode === 'funnel' ? 'Available on the internet:' : 'Available within your tailnet:';
  const available = () => {
    const handled = {
      TCP: { 443: { HTTPS: true } },
      Web: { [`${name}:443`]: { Handlers: { '/': { Proxy: target } } } },
      ...(mode === 'funnel' ? { AllowFunnel: { [`${name}:443`]: true } } : {}),
    };
    writeFileSync(served, JSON.stringify({ Foreground: { a1b2c3: handled } }));
    process.stdout.write(`${where}\n\nhttps://${name}/\n|-- proxy ${target}\n\nPress Ctrl+C to exit.\n`);
  };
  let waiting;
  if (allowed()) available();
  else {
    const feature = mode === 'funnel' ? 'Funnel' : 'Serve';
    process.stdout.write(
      `\n${feature} is not enabled on your tailnet.\nTo enable, visit:\n\n         https://login.tailscale.com/f/${mode}?node=n1\n\n`,
    );
    // As the control server says: the program waits for the owner, or leaves it at that.
    if (ends) return;
    waiting = setInterval(() => {
      if (!allowed()) return;
      clearInterval(waiting);
      process.stdout.write('Success.\n');
      available();
    }, 20);
  }
  const end = (code) => {
    rmSync(served, { force: true });
    process.exit(code);
  };
  // The connection to the service ends: the program does so too, without a word.
  setInterval(() => {
    if (existsSync(join(folder, 'crash'))) end(0);
  }, 20);
  process.once('SIGINT', () => {
    appendFileSync(join(folder, 'calls'), '"interrupted"\n');
    end(0);
  });
}
