/*
 * The gateway as the network tests run it: the program built with failpoints, with an observer of its sockets to the broker.
 * The observer logs each request line as it is written and each connection as it is closed, and acts once, synchronously, at the
 * moment that NETWORK_ORDERS (a JSON file, removed when it is obeyed) names:
 *
 *   {"on": "write", "run": ["ip", …]}   right before the request line "POST /v2/orders" is written: runs a command
 *   {"on": "write", "stop": true}       the same: stops the process (SIGSTOP)
 *   {"on": "connected", "stop": true}   as soon as the next connection to the broker is there, before anybody hears of it
 */
import { execFileSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import net from 'node:net';

const { NETWORK_LOG: log, NETWORK_ORDERS: orders, NETWORK_BROKER_PORT: brokerPort } = process.env;

const note = (event) => appendFileSync(log, `${JSON.stringify({ at: Date.now(), pid: process.pid, ...event })}\n`);

function ordered(on) {
  if (!existsSync(orders)) return undefined;
  const order = JSON.parse(readFileSync(orders, 'utf8'));
  if (order.on !== on) return undefined;
  rmSync(orders);
  return order;
}

function obey(order) {
  if (order.run !== undefined) {
    const [program, ...args] = order.run;
    execFileSync(program, args);
    note({ event: 'ran' });
  }
  if (order.stop !== true) return;
  note({ event: 'stopping' });
  process.kill(process.pid, 'SIGSTOP');
  note({ event: 'continued' });
}

const { _writeGeneric: write } = net.Socket.prototype;

net.Socket.prototype._writeGeneric = function (pending, data, encoding, done) {
  // While it is connecting the socket puts the data off, and comes here again.
  if (this.connecting || String(this.remotePort) !== brokerPort) return write.call(this, pending, data, encoding, done);
  const [first] = Array.isArray(data) ? data : [{ chunk: data }];
  const text = Buffer.from(first.chunk).toString('latin1', 0, 200);
  const [, line] = /^((?:GET|POST|PATCH|DELETE) \S+) HTTP\/1\.1\r\n/.exec(text) ?? [];
  if (line === undefined) return write.call(this, pending, data, encoding, done);
  const port = this.localPort;
  if (line === 'POST /v2/orders') {
    const order = ordered('write');
    if (order !== undefined) obey(order);
    this.once('close', () => note({ event: 'closed', line, port }));
  }
  note({ event: 'write', line, port });
  const result = write.call(this, pending, data, encoding, done);
  if (line === 'POST /v2/orders') note({ event: 'written', line, port });
  return result;
};

net.Socket.prototype.emit = function (event, ...args) {
  if (event === 'secureConnect' && String(this.remotePort) === brokerPort) {
    const order = ordered('connected');
    if (order !== undefined) obey(order);
  }
  return EventEmitter.prototype.emit.call(this, event, ...args);
};

enableCompileCache();
const { main } = await import('../../dist-failpoints/main.js');
await main(process.argv.slice(2));
