// Preloaded (NODE_OPTIONS=--import) into a home of these tests: without the internet, the documents in which clients say who
// they are (CIMD) are answered from this table. Claude Code's has what it published in 2026; Codex' is one like it.
import { createServer } from 'node:http';
import { answerAtHand } from '../origins-at-hand.mjs';

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
const origins = [...new Set(Object.keys(documents).map((url) => new URL(url).origin))];

const server = createServer((request, response) => {
  const id = `https://${request.headers.host}${request.url}`;
  const found = documents[id];
  if (found === undefined) return response.writeHead(404).end();
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ client_id: id, ...publicClient, ...found }));
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
server.unref();
answerAtHand(Object.fromEntries(origins.map((origin) => [origin, `http://127.0.0.1:${server.address().port}`])));
