// Preloaded (NODE_OPTIONS=--import) into a home of these tests: which revision of the protocol each request at /mcp names is
// appended to the file in HEARD_REVISIONS.
import { appendFileSync } from 'node:fs';
import { Server } from 'node:http';

const { emit } = Server.prototype;
Server.prototype.emit = function (name, ...parts) {
  const [request] = parts;
  const revision = name === 'request' && request.url === '/mcp' && request.headers['mcp-protocol-version'];
  if (revision) appendFileSync(process.env.HEARD_REVISIONS, `${revision}\n`);
  return emit.call(this, name, ...parts);
};
