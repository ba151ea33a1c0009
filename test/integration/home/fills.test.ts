import { afterAll, expect, it } from 'vitest';
import type { PhoneNotice } from '../../../src/home/phone/push/phone-notices.ts';
import { startProposalWorld } from '../approval/world.ts';

const told: PhoneNotice[] = [];
const fills = () => told.filter((one) => 'fill' in one).map(({ title, body }) => [title, body]);

const notices = { tell: async (notice: PhoneNotice) => void told.push(notice) };
const world = await startProposalWorld({ secondAccounts: true, push: { notices } });
const alice = await world.as('alice');
afterAll(() => world.close());

async function bought(symbol: string, account?: string): Promise<void> {
  const order = { symbol, side: 'buy', qty: '1', ...(account === undefined ? {} : { account }) } as const;
  await alice.approved({ kind: 'order', order });
}

it('a home tells its person what was filled, in which account at which broker; once, also after a restart', async () => {
  const { accounts } = (await alice.send('GET', '/v1/accounts')).body as { accounts: { account: string }[] };
  const [first, second] = accounts.map(({ account }) => account);
  const inFirst = [expect.stringMatching(/^Bought 1 AAPL at \$[\d.,]+ · PAPER$/), `Account ${first} at Alpaca`];
  const inSecond = [
    expect.stringMatching(/^Bought 1 KO at \$[\d.,]+ · PAPER$/),
    `Account ${second} at Second paper account`,
  ];
  await bought('AAPL');
  await expect.poll(fills).toEqual([inFirst]);
  await world.restart();
  await bought('KO', second);
  await expect.poll(fills).toEqual([inFirst, inSecond]);
});
