import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { HomeWorld, PairedPhone } from '../e2e/home-world.ts';
import { ledTo } from '../integration/home/http-browser.ts';
import { letIn } from '../integration/home/public-client.ts';

/** The person at whose machine other people's programs run: their browser there, and their phone. */
export interface Person {
  /** Makes every way to open a browser lead to this person's. */
  readonly env: { readonly PATH: string; readonly BROWSER: string };
  readonly opened: readonly URL[];
  readonly failures: readonly unknown[];
  /** A yes is signed. */
  answer(decision: 'approve' | 'deny'): Promise<void>;
  close(): Promise<void>;
}

/** A program opens the browser before it listens for the answer, at worst. */
const LISTENS_WITHIN_MS = 10_000;
const ASKED_WITHIN_MS = 90_000;
const LOOK_MS = 50;

/**
 * Lets in whatever program sends the browser to the home's consent page, as somebody would who started that program: the
 * page is opened with the phone's sign-in, and the answer followed to where the program listens.
 */
export async function playPerson(world: HomeWorld, phone: PairedPhone): Promise<Person> {
  const opened: URL[] = [];
  const failures: unknown[] = [];
  const open = async (url: URL) => {
    opened.push(url);
    const back = await letIn(phone.browser, url);
    const answered = await whenListening(() => fetch(back, { redirect: 'manual' }));
    if (answered.status >= 400) throw new Error(`the program answered ${answered.status} to ${back}`);
  };
  const server = createServer(async (request, response) => {
    // Programs wait for the command that opens a browser, not for what happens there.
    response.end();
    await open(new URL(await text(request))).catch((error: unknown) => failures.push(error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const folder = join(world.folder, 'browser');
  mkdirSync(folder);
  for (const name of ['xdg-open', 'open', 'browser']) {
    const post = `fetch("http://127.0.0.1:${port}", { method: "POST", body: process.argv[1] })`;
    writeFileSync(join(folder, name), `#!/bin/sh\nexec '${process.execPath}' -e '${post}' "$1"\n`);
    chmodSync(join(folder, name), 0o700);
  }
  return {
    env: { PATH: `${folder}${delimiter}${process.env.PATH}`, BROWSER: join(folder, 'browser') },
    opened,
    failures,
    async answer(decision) {
      const ends = Date.now() + ASKED_WITHIN_MS;
      let waiting = await world.waiting(phone);
      while (waiting.length === 0) {
        if (Date.now() > ends) throw new Error('nothing was asked on the phone');
        await delay(LOOK_MS);
        waiting = await world.waiting(phone);
      }
      if (decision === 'approve') {
        const { status } = await world.approve(phone);
        if (status !== 200) throw new Error(`approving was answered by ${status}`);
        return;
      }
      const denied = await phone.browser.submit('/phone', `/phone/requests/${waiting[0]}`, { decision });
      if (ledTo(denied) === null && !denied.ok) throw new Error(`denying was answered by ${denied.status}`);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function whenListening<T>(send: () => Promise<T>): Promise<T> {
  const ends = Date.now() + LISTENS_WITHIN_MS;
  for (;;) {
    try {
      return await send();
    } catch (error) {
      if (Date.now() > ends) throw error;
      await delay(LOOK_MS);
    }
  }
}
