import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { serve } from '../../../src/app/serve.ts';
import { reportReady } from '../../../src/machine/service-manager.ts';
import { folderOfTest } from '../../folders.ts';

const canRun = spawnSync('python3', ['--version']).status === 0 && existsSync('/usr/bin/systemd-notify');

/** systemd’s end of the socket: prints each datagram. */
const RECEIVER = `
import os, socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print("bound", flush=True)
while True:
    print(receiver.recv(4096).decode().strip(), flush=True)
`;

let socket: string;
let receiver: ChildProcess;
let received: string[];
beforeEach(async () => {
  if (!canRun) return;
  socket = join(folderOfTest(), 'notify');
  receiver = spawn('python3', ['-c', RECEIVER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  const own: string[] = [];
  received = own;
  const lines = createInterface({ input: receiver.stdout as NodeJS.ReadableStream });
  const { promise: bound, resolve } = Promise.withResolvers<void>();
  lines.on('line', (line) => (line === 'bound' ? resolve() : own.push(line)));
  await bound;
});
afterEach(() => void receiver?.kill());

/** Without the barriers, by which systemd-notify waits until a datagram has been read. */
const states = () => received.filter((line) => line !== 'BARRIER=1');

describe.skipIf(!canRun)('systemd', () => {
  it('is told that the service is ready, then that it stops', async () => {
    const told: string[] = [];
    const manager = await reportReady({ NOTIFY_SOCKET: socket, TRADE_AGENT_API_KEY: 'secret' }, (line) =>
      told.push(line),
    );
    await expect.poll(states).toEqual(['READY=1']);
    await manager.stopping();
    manager.close();
    await expect.poll(states).toEqual(['READY=1', 'STOPPING=1']);
    expect(told).toEqual([]);
  });

  it('is told that the process is alive, where the unit has a watchdog, until it is closed', async () => {
    const manager = await reportReady({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: '100000' }, () => {});
    await expect.poll(() => states().filter((line) => line === 'WATCHDOG=1').length).toBeGreaterThan(2);
    manager.close();
  });

  it('hears of no watchdog from a child of the process that it watches', async () => {
    const manager = await reportReady({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' });
    await manager.stopping();
    await expect.poll(states).toEqual(['READY=1', 'STOPPING=1']);
    manager.close();
  });

  it('is told by what is served: ready once it is open, stopping before anything is closed', async () => {
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv('NOTIFY_SOCKET', socket);
    const stop = new AbortController();
    await serve({
      signal: stop.signal,
      open: async (onClose) => onClose(() => expect.poll(states).toEqual(['READY=1', 'STOPPING=1'])),
      ready: async () => {
        expect(states()).toEqual([]);
        stop.abort();
      },
    });
    expect(states()).toEqual(['READY=1', 'STOPPING=1']);
  });

  it('that is not there is a warning, and nothing else', async () => {
    const told: string[] = [];
    const manager = await reportReady({ NOTIFY_SOCKET: `${socket}-gone` }, (line) => told.push(line));
    manager.close();
    expect(told).toEqual(['warning: systemd did not get READY=1: systemd-notify failed']);
  });
});

it('starts no program where nobody asked', async () => {
  const told: string[] = [];
  const manager = await reportReady({ WATCHDOG_USEC: '1000' }, (line) => told.push(line));
  await manager.stopping();
  manager.close();
  expect(told).toEqual([]);
});
