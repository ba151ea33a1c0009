#!/usr/bin/env node
// The launcher. It uses old syntax on purpose, so that any Node version can print which one is needed.
// SQLite's binary needs Node-API 10 (Node 22.14 and 23.6). An older Node would crash instead of rejecting it.
var needed = [22, 14];
var running = process.versions.node.split('.').map(Number);
if (
  running[0] < needed[0] ||
  (running[0] === needed[0] && running[1] < needed[1]) ||
  Number(process.versions.napi) < 10
) {
  process.stderr.write(
    'trade-agent needs Node ' +
      needed.join('.') +
      ' or newer; this is Node ' +
      process.versions.node +
      '.\n' +
      'Install a current Node (https://nodejs.org), or in a checkout use "npm start", which brings its own.\n',
  );
  process.exit(2);
}
import('../dist/main.js')
  .then((program) => program.main(process.argv.slice(2)))
  .catch((error) => {
    if (error && error.code === 'ERR_MODULE_NOT_FOUND' && /dist[\\/]main\.js/.test(String(error.message))) {
      process.stderr.write('trade-agent is not built yet. Run "npm run build" first.\n');
    } else {
      process.stderr.write('trade-agent could not start: ' + (error && error.message ? error.message : error) + '\n');
    }
    process.exit(1);
  });
