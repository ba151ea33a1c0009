import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCheckpoint, signCheckpoint } from '../../../src/approval/receipts/checkpoint.ts';
import { ReceiptError } from '../../../src/approval/receipts/receipt-form.ts';
import { deriveReceiptKey, type ReceiptKey } from '../../../src/approval/receipts/receipt-key.ts';
import { verifyReceipt } from '../../../src/approval/receipts/verify-receipt.ts';
import { formatUtcSeconds } from '../../../src/machine/clock.ts';
import { MCP_CLIENT_PREFIX, type ProposalRequestInput } from '../../../src/trading/proposal.ts';
import type { Receipt } from '../../../src/trading/receipt.ts';
import type { Order } from '../../../src/trading/views.ts';
import { seededRandom } from '../../fixtures/seeded-random.ts';
import { codeForgeries, forged, forgeries } from './receipt-forgeries.ts';
import { doOverlap, isGatewaysWord, type Mutant, mutantsOf, mutantText } from './receipt-mutants.ts';
import { type Person, type ProposalWorld, startProposalWorld } from './world.ts';

/** Every so many bytes of a receipt are changed; 1 for all (`npm run test:receipts`). */
const STRIDE = Number(process.env.RECEIPT_STRIDE ?? 29);

/** How long all mutants may take: twenty times as many as in a usual run. */
const EVERY_MUTANT_MS = STRIDE === 1 ? 600_000 : 30_000;

const scripts = fileURLToPath(new URL('../../receipts', import.meta.url));
/** The second verifier needs Python, and its package `cryptography`. */
const hasPython = spawnSync('python3', ['-c', 'import cryptography'], { timeout: 30_000 }).status === 0;

let world: ProposalWorld;
let alice: Person;
let bob: Person;
let folder: string;
/** Of an order, of a batch, of a replaced order, of one under a mandate, and of another agent's. */
let order: string;
let batch: string;
let replaced: string;
let mandated: string;
let codeTyped: string;
let gatewayKey: string;

const limit = (symbol: string, limit_price: string) =>
  ({ symbol, side: 'buy', qty: '1', type: 'limit', limit_price }) as const;

async function approved(request: ProposalRequestInput): Promise<{ id: string; result: unknown }> {
  const { id, result } = await alice.approved(request);
  return { id, result };
}

const fileOf = async (id: string, who: Person = alice) => {
  const url = `${world.sandbox.ready.gateway}/v1/receipts/${id}`;
  const answer = await who.session.fetch(url, {}, ['orders:read']);
  return { status: answer.status, text: await answer.text() };
};

beforeAll(async () => {
  world = await startProposalWorld();
  [alice, bob] = await Promise.all([world.as('alice'), world.as('bob')]);
  folder = join(world.folder, 'receipts');
  mkdirSync(folder);
  const one = await approved({ kind: 'order', order: limit('KO', '20') });
  order = (await fileOf(one.id)).text;
  const changed = await approved({
    kind: 'replace',
    replace: { order_id: (one.result as Order).id, limit_price: '21' },
  });
  replaced = (await fileOf(changed.id)).text;
  const orders = [
    { symbol: 'AAPL', side: 'sell', qty: '1' },
    { symbol: 'MSFT', side: 'buy', qty: '1' },
  ] as const;
  batch = (await fileOf((await approved({ kind: 'batch', batch: { orders: [...orders] } })).id)).text;
  await approved({
    kind: 'mandate',
    mandate: {
      symbols: ['PEP'],
      max_order_notional: '200',
      max_total_notional: '600',
      max_orders: 5,
      expires_at: formatUtcSeconds(Date.now() + 20 * 86_400_000),
    },
  });
  const typed = { fields: { symbol: { source: 'user' } } } as const;
  const under = await alice.propose({
    kind: 'order',
    order: limit('PEP', '20'),
    mandate: 'any',
    provenance: typed,
  });
  await alice.until(under.id, 'executed');
  mandated = (await fileOf(under.id)).text;
  const { digest: base, limits } = (await alice.send('GET', '/v1/policy')).body as { digest: string; limits: object };
  const tighter = { base, limits: { ...limits, number_matching_above: '500' } };
  expect(await alice.send('PUT', '/v1/policy', tighter)).toMatchObject({ status: 200 });
  const forwarded = { source: 'other', from: `${MCP_CLIENT_PREFIX}claude` } as const;
  const fields = { symbol: forwarded, side: forwarded, qty: forwarded, type: forwarded, limit_price: forwarded };
  const others = await alice.propose({ kind: 'order', order: limit('TSLA', '20'), provenance: { fields } });
  await alice.tap(others.code, 'approve', others.code);
  await alice.until(others.id, 'executed');
  codeTyped = (await fileOf(others.id)).text;
  const keys = await fetch(`${world.sandbox.ready.gateway}/.well-known/trade-agent-receipt-keys.json`);
  gatewayKey = ((await keys.json()) as { keys: { kid: string }[] }).keys[0]?.kid ?? '';
});
afterAll(() => world.close());

const faultOf = async (text: string, key = gatewayKey) => {
  try {
    await verifyReceipt(text, (thumbprint) => thumbprint === key);
    return 'holds';
  } catch (error) {
    if (error instanceof ReceiptError) return error.fault;
    throw error;
  }
};

/** The same file by the second verifier: whether it holds. */
const pythonSays = (files: readonly string[], key = gatewayKey) => {
  const { stdout } = spawnSync('python3', [join(scripts, 'verify_receipt.py'), key, ...files], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^.*: /, ''));
};
const written = (name: string, text: string) => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

describe('a receipt', () => {
  it('of an order, a batch, a change and an order under a mandate holds by the published key', async () => {
    const all = { order, batch, replaced, mandated, codeTyped };
    for (const [name, text] of Object.entries(all)) expect([name, await faultOf(text)]).toEqual([name, 'holds']);
    const { orders, approvals } = JSON.parse(batch) as Receipt;
    expect(orders.map(({ state, order: { symbol } }) => `${state} ${symbol}`)).toEqual(['placed AAPL', 'placed MSFT']);
    expect(approvals[0]).toMatchObject({ sub: 'alice', key: { method: 'software', name: 'Terminal phone' } });
    expect(JSON.parse(codeTyped)).toMatchObject({ proposal: { code_entry: 'typed' } });
    expect(JSON.parse(mandated)).toMatchObject({
      approvals: [],
      mandate: { proposal: { kind: 'mandate' }, approvals: [{ sub: 'alice' }] },
    });
  });

  it.runIf(hasPython)('holds by the second verifier too, and by no other key', () => {
    const all = { order, batch, replaced, mandated, codeTyped };
    const files = Object.entries(all).map(([name, text]) => written(name, text));
    expect(pythonSays(files)).toEqual(files.map(() => 'holds'));
    expect(pythonSays(files, 'A'.repeat(43))).toEqual(files.map(() => 'signer'));
  });

  it('is listed, found by the order’s own id, and nobody else’s to see', async () => {
    const { proposal, orders } = JSON.parse(order) as Receipt;
    const listed = await alice.send('GET', '/v1/receipts');
    expect(listed.body.receipts).toContainEqual(
      expect.objectContaining({ id: proposal.id, by: 'signature', state: 'executed' }),
    );
    const again = JSON.parse((await fileOf(orders[0]?.client_order_id ?? '')).text) as Receipt;
    expect(again.proposal).toEqual(proposal);
    expect((await fileOf(proposal.id, bob)).status).toBe(404);
    const bobs = (await bob.send('GET', '/v1/receipts')).body as { receipts: { kind: string }[] };
    expect(bobs.receipts.filter(({ kind }) => kind !== 'grant')).toEqual([]);
    const denied = await alice.propose({ kind: 'order', order: limit('KO', '19') });
    await alice.tap(denied.code, 'deny');
    await alice.until(denied.id, 'denied');
    expect(await fileOf(denied.id)).toMatchObject({
      status: 404,
      text: expect.stringContaining('no order was sent'),
    });
  });

  it('of an order that the broker rejected is listed, and holds', async () => {
    await approved({ kind: 'order', order: limit('AAPL', '20') });
    const sale = { symbol: 'AAPL', side: 'sell', qty: '1', type: 'limit', limit_price: '20' } as const;
    const proposed = await alice.propose({ kind: 'order', order: sale });
    await alice.tap(proposed.code);
    // The broker rejects a sale that could trade with the same account's purchase.
    await alice.until(proposed.id, 'blocked');
    const { receipts } = (await alice.send('GET', '/v1/receipts')).body as { receipts: unknown[] };
    expect(receipts[0]).toMatchObject({ id: proposed.id, by: 'signature', state: 'blocked' });
    const { text } = await fileOf(proposed.id);
    expect(JSON.parse(text)).toMatchObject({ state: 'blocked', orders: [{ state: 'rejected', answered: null }] });
    expect(await faultOf(text)).toBe('holds');
    if (hasPython) expect(pythonSays([written('rejected', text)])).toEqual(['holds']);
  });

  it('with a byte changed anywhere is refused', async () => {
    const bytes = Buffer.from(order);
    const unnoticed: number[] = [];
    for (let at = 0; at < bytes.length; at += STRIDE) {
      for (const bit of [0x01, 0x20]) {
        const changed = Buffer.from(bytes);
        changed.writeUInt8((bytes[at] ?? 0) ^ bit, at);
        if ((await faultOf(changed.toString('utf8'))) === 'holds') unnoticed.push(at);
      }
    }
    expect(unnoticed).toEqual([]);
  });

  it.runIf(hasPython)(
    'with a byte changed anywhere is refused by the second verifier too',
    () => {
      const args = [join(scripts, 'every_byte.py'), gatewayKey, written('bytes', order), String(STRIDE)];
      expect(execFileSync('python3', args, { encoding: 'utf8', timeout: EVERY_MUTANT_MS })).toMatch(/^\d+ \[\]\n$/);
    },
    EVERY_MUTANT_MS,
  );
});

it('a receipt whose checkpoint another key signed is refused', async () => {
  const [key, thief] = await Promise.all([
    deriveReceiptKey('what only the gateway has'),
    deriveReceiptKey('of a thief'),
  ]);
  const text = await forged(order, key, (receipt) => {
    const head = parseCheckpoint(receipt.checkpoint);
    if (head !== undefined) receipt.checkpoint = signCheckpoint(thief, head);
  });
  expect(await faultOf(text, key.jwk.kid)).toBe('record');
  if (hasPython) expect(pythonSays([written('stranger', text)], key.jwk.kid)).toEqual(['record']);
});

it('a receipt’s checkpoint may have the signatures of witnesses, too', async () => {
  const key = await deriveReceiptKey('what only the gateway has');
  const text = await forged(order, key, (receipt) => {
    receipt.checkpoint += `— witness.example/w1 ${Buffer.alloc(76, 7).toString('base64')}\n`;
  });
  expect(await faultOf(text, key.jwk.kid)).toBe('holds');
  if (hasPython) expect(pythonSays([written('witnessed', text)], key.jwk.kid)).toEqual(['holds']);
});

describe('a receipt by whoever has stolen the gateway’s key', () => {
  let stolen: ReceiptKey;
  beforeAll(async () => {
    stolen = await deriveReceiptKey('what only the gateway has');
  });

  const texts = () => ({ order, mandated, codeTyped });
  const signed = (text: string, forge: Parameters<typeof forged>[2]) => forged(text, stolen, forge);

  const all = [...forgeries, ...codeForgeries];

  it.each(all)('%s is refused', async (_what, fault, of, forge) => {
    expect(await faultOf(await signed(texts()[of], forge), stolen.jwk.kid)).toBe(fault);
  });

  it('that changes nothing holds by that key: the phone’s signature is what it can’t make', async () => {
    const copy = await signed(order, () => undefined);
    expect(await faultOf(copy, stolen.jwk.kid)).toBe('holds');
    expect(await faultOf(copy)).toBe('signer');
  });

  it.runIf(hasPython)('is refused by the second verifier by the same name, in every way', async () => {
    const files = await Promise.all(
      all.map(async ([, , of, forge], at) => written(`forged-${at}`, await signed(texts()[of], forge))),
    );
    expect(pythonSays(files, stolen.jwk.kid)).toEqual(all.map(([, fault]) => fault));
    expect(pythonSays([written('copy', await signed(order, () => undefined))], stolen.jwk.kid)).toEqual(['holds']);
  });
});

interface Case {
  readonly what: string;
  readonly isWord: boolean;
  readonly text: string;
}

/** One receipt's mutants, and half as many with two changes at once. @param other whose values are put in */
async function casesOf(text: string, other: string, key: ReceiptKey, random: () => number): Promise<Case[]> {
  const all = mutantsOf(JSON.parse(text) as Receipt, JSON.parse(other) as Receipt);
  const one = all.filter((_, at) => at % STRIDE === 0).map((mutant) => [mutant]);
  // A changed line is written with its own tree, which would undo another change of the record.
  const members = all.filter(({ path }) => !path.startsWith('line.'));
  const pick = () => members[Math.floor(random() * members.length)] as Mutant;
  const several = Array.from({ length: one.length / 2 }, () => [pick(), pick()] as const).filter(
    (two) => !doOverlap(two),
  );
  const cases: Case[] = [];
  for (const mutants of [...one, ...several]) {
    const made = await mutantText(text, key, mutants);
    if (made === undefined) continue;
    const what = mutants.map((mutant) => mutant.what).join(' and ');
    cases.push({ what, isWord: mutants.every(isGatewaysWord), text: made });
  }
  return cases;
}

describe.runIf(hasPython)('each mutant, signed again with a stolen key', () => {
  it(
    'is refused by both verifiers, or is the gateway’s own word to both',
    async () => {
      const key = await deriveReceiptKey('what only the gateway has');
      const seed = Number(process.env.RECEIPT_SEED ?? Math.floor(Math.random() * 2 ** 31));
      const random = seededRandom(seed);
      const pairs = [
        [order, replaced],
        [replaced, order],
        [batch, order],
        [mandated, order],
        [codeTyped, order],
      ] as const;
      const accepted: string[] = [];
      const disagreed: string[] = [];
      const counts = { mutants: 0, words: 0, names: 0 };
      // One receipt's at a time: all of them together are longer than a string can be.
      for (const [text, other] of pairs) {
        const cases = await casesOf(text, other, key, random);
        const { stdout, stderr } = spawnSync('python3', [join(scripts, 'every_line.py'), key.jwk.kid], {
          ...{ input: cases.map((one) => one.text).join(''), encoding: 'utf8', timeout: 600_000, maxBuffer: 2 ** 28 },
        });
        expect(stderr).toBe('');
        const python = stdout.trimEnd().split('\n');
        expect(python).toHaveLength(cases.length);
        counts.mutants += cases.length;
        for (const [at, { what, isWord, text: made }] of cases.entries()) {
          const said = await faultOf(made, key.jwk.kid);
          if ((said === 'holds') !== (python[at] === 'holds')) disagreed.push(`${what}: ${said}, ${python[at]}`);
          if (said !== python[at]) counts.names++;
          if (said !== 'holds') continue;
          if (isWord) counts.words++;
          else accepted.push(what);
        }
      }
      console.info(
        `receipt mutants: ${counts.mutants} (seed ${seed}), ${accepted.length} forgeries accepted, ${disagreed.length} disagreements, ` +
          `${counts.words} accepted that change only the gateway's own word, ${counts.names} refused under two names`,
      );
      expect({ accepted, disagreed }).toEqual({ accepted: [], disagreed: [] });
    },
    EVERY_MUTANT_MS,
  );
});
