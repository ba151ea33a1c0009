import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PairedPhone } from '../../e2e/home-world.ts';
import { signInByHttp } from '../../integration/home/http-browser.ts';
import type { Failpoint } from '../failpoints.ts';
import { type GatewayBook, openGatewayBook } from '../gateway-book.ts';
import { homeFaults } from './home-oracle.ts';
import { createHomeThatDies, type HomeThatDies } from './home-that-dies.ts';

/** What was approved is carried out by the home alone, whoever is there; in doubt it sends nothing again for half a minute. */
const SETTLED_MS = 45_000;
const isLong = Number(process.env.CRASH_SEEDS ?? 1) >= 20;

let world: HomeThatDies;
let gateway: GatewayBook;
let phone: PairedPhone;
const signed: string[] = [];
beforeAll(async () => {
  world = await createHomeThatDies();
  await world.init();
  await world.serve();
  gateway = openGatewayBook(world.home);
  phone = await world.pair();
  await world.json('profile', 'add', 'home', '--home', world.address, '--credential-store', 'file');
  await world.login(phone);
}, 60_000);
afterAll(async () => {
  gateway?.close();
  await world?.close();
});

const last = () => {
  const proposal = gateway.proposals().at(-1);
  if (proposal === undefined) throw new Error('nothing was proposed');
  return proposal;
};

/** Where the decision is not kept: what they were asked still waits. */
const again: readonly Failpoint[] = ['signature.verified', 'signature.kept'];
/** Where the token is lost on the way: they are asked once more, and told why. */
const lost: readonly Failpoint[] = ['idp.issued', 'poll.answered'];
const short: readonly Failpoint[] = [
  ...again,
  'idp.decided',
  'idp.issued',
  'approval.sealed',
  'execute.intent',
  'gateway.submitted',
  'execute.recorded',
];
const patient: readonly Failpoint[] = [
  'idp.granted',
  'idp.delivered',
  'poll.answered',
  'gateway.verified',
  'gateway.claimed',
  'gateway.before_submit',
  'gateway.recorded',
  'execute.answered',
  'record.sequenced',
];

it.each(isLong ? [...short, ...patient] : short)(
  'a home killed at %s, between the tap and what comes of it: one order, and the phone shows its fill',
  async (at) => {
    await world.propose('buy 1 AAPL limit 400');
    const { code } = last();
    await world.servedDies(at, () => world.approve(phone));
    // The browser is still signed in; where the tap got lost the request still waits, and the key signs again.
    const waits = async () => (await world.waiting(phone)).length;
    if (again.includes(at)) expect((await world.approve(phone)).status).toBe(200);
    else if (lost.includes(at)) {
      await expect.poll(waits, { timeout: 20_000 }).toBe(1);
      expect((await world.approve(phone)).status).toBe(200);
    }
    signed.push(code);
    await expect
      .poll(() => homeFaults(world, gateway, phone, signed), { timeout: SETTLED_MS, interval: 100 })
      .toEqual([]);
    expect(await waits()).toBe(0);
  },
  90_000,
);

it('after all that, a copy of the key that is behind in its count signs nothing', async () => {
  const orders = world.sandbox.broker.book().length;
  await world.propose('buy 2 AAPL limit 400');
  const { authenticator } = phone;
  const count = authenticator.counter;
  authenticator.counter = count - 1;
  expect((await world.approve(phone)).ok).toBe(false);
  authenticator.counter = count - 1;
  await expect(signInByHttp(world.address, authenticator)).rejects.toThrow('not signed in');
  expect([world.sandbox.broker.book().length, last().state]).toEqual([orders, 'requested']);
});
