// Preloaded (NODE_OPTIONS=--import) into a home of these tests: without the internet, the documents in which clients say who
// they are (CIMD) are answered from this table. Claude Code's has what it published in 2026; Codex' is one like it.
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';

const publicClient = {
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};
const documents = {
  'https://claude.ai/oauth/claude-code-client-metadata': {
    client_name: 'Claude Code',
    redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
  },
  'https://chatgpt.com/oauth/codex/client.json': {
    client_name: 'Codex',
    application_type: 'native',
    redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
  },
};
const hosts = Object.keys(documents).map((url) => new URL(url).hostname);

const { lookup } = dns;
dns.lookup = (host, options, done) =>
  // One that counts as outside, as those that are kept for documentation don't; nothing is sent there.
  hosts.includes(host) ? done(null, [{ address: '8.8.8.8', family: 4 }]) : lookup(host, options, done);
syncBuiltinESMExports();

const { fetch } = globalThis;
globalThis.fetch = async (input, init) => {
  const url = String(input instanceof Request ? input.url : input);
  const found = documents[url];
  if (found === undefined) return fetch(input, init);
  return Response.json({ client_id: url, ...publicClient, ...found });
};
