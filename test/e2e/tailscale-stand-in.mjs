#!/usr/bin/env node
// Stands in for Tailscale's command line tool: the JSON of `ipnstate.Status` and `ipn.ServeConfig`, and the lines that
// `tailscale funnel` prints. Its folder says what the network allows; each call is written to `calls` there.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const folder = dirname(process.argv[1]);
const args = process.argv.slice(2);
appendFileSync(join(folder, 'calls'), `${JSON.stringify({ args, env: Object.keys(process.env).sort() })}\n`);
const state = JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8'));
const allowed = () => existsSync(join(folder, 'allowed'));

if (args.join(' ') === 'status --json --peers=false') {
  const { name, ...status } = state;
  const capabilities = allowed() ? { https: null, funnel: null } : {};
  process.stdout.write(
    JSON.stringify({
      Version: '1.98.1-t0123456789',
      TUN: true,
      BackendState: 'Running',
      HaveNodeKey: true,
      AuthURL: '',
      TailscaleIPs: ['100.64.0.7', 'fd7a:115c:a1e0::7'],
      Self: { ID: 'n1', HostName: 'nas', DNSName: `${name}.`, OS: 'linux', CapMap: capabilities, Online: true },
      Health: null,
      MagicDNSSuffix: 'tail1234.ts.net',
      CurrentTailnet: { Name: 'ada@example.com', MagicDNSSuffix: 'tail1234.ts.net', MagicDNSEnabled: true },
      CertDomains: allowed() ? [name] : null,
      Peer: null,
      User: null,
      ClientVersion: null,
      ...status,
    }),
  );
} else if (args.join(' ') === 'serve status --json') process.stdout.write('null\n');
else if (args.length === 2 && (args[0] === 'funnel' || args[0] === 'serve')) forward(args[0], args[1]);
else {
  process.stderr.write(`flag provided but not defined: ${args.join(' ')}\n`);
  process.exitCode = 1;
}

function forward(mode, target) {
  const where = mode === 'funnel' ? 'Available on the internet:' : 'Available within your tailnet:';
  const available = () =>
    process.stdout.write(`${where}\n\nhttps://${state.name}/\n|-- proxy ${target}\n\nPress Ctrl+C to exit.\n`);
  if (allowed()) available();
  else {
    process.stdout.write(
      '\nFunnel is not enabled on your tailnet.\nTo enable, visit:\n\n         https://login.tailscale.com/f/funnel?node=n1\n\n',
    );
    const waiting = setInterval(() => {
      if (!allowed()) return;
      clearInterval(waiting);
      process.stdout.write('Success.\n');
      available();
    }, 20);
  }
  const ending = setInterval(() => {
    if (existsSync(join(folder, 'crash'))) process.exit(1);
  }, 20);
  process.once('SIGINT', () => {
    clearInterval(ending);
    appendFileSync(join(folder, 'calls'), '"interrupted"\n');
    process.exit(0);
  });
}
