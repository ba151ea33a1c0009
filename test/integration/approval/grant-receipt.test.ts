import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ReceiptError } from '../../../src/approval/receipts/receipt-form.ts';
import { deriveReceiptKey, type ReceiptKey } from '../../../src/approval/receipts/receipt-key.ts';
import { verifyReceipt } from '../../../src/approval/receipts/verify-receipt.ts';
import { type GrantTerms, grantDetails } from '../../../src/approval/signature/grant.ts';
import { approvalCode } from '../../../src/trading/approval-details.ts';
import type { GrantReceipt, Receipt } from '../../../src/trading/receipt.ts';
import { forged, withOwnTree } from './receipt-forgeries.ts';
import { mutantsOf, mutantText } from './receipt-mutants.ts';
import { type Person, type ProposalWorld, startProposalWorld } from './world.ts';

const everyLine = fileURLToPath(new URL('../../receipts/every_line.py', import.meta.url));
/** The second verifier needs Python, and its package `cryptography`. */
const hasPython = spawnSync('python3', ['-c', 'import cryptography'], { timeout: 30_000 }).status === 0;

let world: ProposalWorld;
let alice: Person;
let bob: Person;
/** A thief's copy of the gateway's key. */
let key: ReceiptKey;
let mine: string;
let bobs: string;
let gatewayKey: string;

const listed = async (who: Person) => {
  const { receipts } = (await who.send('GET', '/v1/receipts')).body as { receipts: { id: string; kind: string }[] };
  return receipts.find(({ kind }) => kind === 'grant') ?? { id: 'none', kind: 'none' };
};
const fileOf = async (who: Person, id: string) => {
  const url = `${world.sandbox.ready.gateway}/v1/receipts/${id}`;
  const answer = await who.session.fetch(url, {}, ['orders:read']);
  return { status: answer.status, text: await answer.text() };
};

beforeAll(async () => {
  world = await startProposalWorld();
  key = await deriveReceiptKey('of a gateway whose key was stolen');
  [alice, bob] = await Promise.all([world.as('alice'), world.as('bob')]);
  mine = (await fileOf(alice, (await listed(alice)).id)).text;
  bobs = (await fileOf(bob, (await listed(bob)).id)).text;
  const keys = await fetch(`${world.sandbox.ready.gateway}/.well-known/trade-agent-receipt-keys.json`);
  gatewayKey = ((await keys.json()) as { keys: { kid: string }[] }).keys[0]?.kid ?? '';
});
afterAll(() => world.close());

async function faultOf(text: string, trusted = key.jwk.kid): Promise<string> {
  try {
    await verifyReceipt(text, (thumbprint) => thumbprint === trusted);
    return 'holds';
  } catch (error) {
    if (error instanceof ReceiptError) return error.fault;
    throw error;
  }
}

/** What the second verifier says about each. */
function pythonSays(texts: readonly string[], trusted = key.jwk.kid): string[] {
  const { stdout, stderr } = spawnSync('python3', [everyLine, trusted], {
    ...{ input: texts.join(''), encoding: 'utf8', timeout: 120_000, maxBuffer: 2 ** 28 },
  });
  expect(stderr).toBe('');
  return stdout.trimEnd().split('\n');
}

type Forge = (receipt: GrantReceipt) => void;
const byThief = (forge: Forge) => forged(mine, key, (receipt) => forge(receipt as unknown as GrantReceipt));

/** Changes the terms wherever they are told, with a digest and an identifier that fit. */
const regrant = (changes: Partial<GrantTerms>) => (receipt: GrantReceipt) => {
  const terms = { ...(receipt.grant.terms as GrantTerms), ...changes };
  const { digest } = grantDetails(receipt.gateway, receipt.grant.id, terms);
  receipt.grant = { ...receipt.grant, terms: { ...terms }, digest };
  Object.assign(receipt.approval.evidence.statement, { digest, nonce: digest, code: approvalCode(digest) });
  withOwnTree(receipt as unknown as Receipt, key, (lines) =>
    lines.map((line) => {
      const told = JSON.parse(line);
      return told.event === 'signed' ? JSON.stringify({ ...told, digest, grant: terms }) : line;
    }),
  );
};

describe('the receipt of a grant', () => {
  it('shows whose key gave which access, to whoever has pinned the gateway’s key', async () => {
    const { id } = await listed(alice);
    const receipt = JSON.parse(mine) as GrantReceipt;
    expect(receipt).toMatchObject({
      type: 'trade-agent.grant-receipt',
      grant: { id, terms: { kind: 'device', sub: 'alice', accounts: 'all', scopes: expect.any(Array) } },
      approval: { sub: 'alice', evidence: { statement: { purpose: 'trade-agent.grant' } } },
    });
    expect(await faultOf(mine, gatewayKey)).toBe('holds');
    expect(await faultOf(mine)).toBe('signer');
    if (hasPython) expect(pythonSays([mine, bobs], gatewayKey)).toEqual(['holds', 'holds']);
  });

  it('is its person’s alone', async () => {
    const { id } = await listed(alice);
    expect((await fileOf(bob, id)).status).toBe(404);
    expect((await fileOf(alice, `gr_${'x'.repeat(22)}`)).status).toBe(404);
  });

  it.each<[string, string, Forge]>([
    ['more scopes', 'grant', (r) => Object.assign(r.grant.terms, { scopes: ['orders:write'] })],
    ['more scopes, digested', 'phone_signature', regrant({ scopes: ['orders:write'] })],
    ['another client, digested', 'phone_signature', regrant({ client: 'mallory' })],
    ['no end, digested', 'phone_signature', regrant({ ends_at: null })],
    ['another kind, digested', 'phone_signature', regrant({ kind: 'agent' })],
    ['another person, digested', 'not_signed', regrant({ sub: 'bob' })],
    [
      'another request’s identifier',
      'grant',
      (r) => {
        r.grant.id = `gr_${'x'.repeat(22)}`;
      },
    ],
    ['another gateway', 'statement', (r) => Object.assign(r, { gateway: 'https://elsewhere.example' })],
    [
      'the purpose of an order',
      'statement',
      (r) => Object.assign(r.approval.evidence.statement, { purpose: 'trade-agent.approval' }),
    ],
    [
      'another person’s approval',
      'not_signed',
      (r) => {
        r.approval = (JSON.parse(bobs) as GrantReceipt).approval;
      },
    ],
    [
      'another person’s key',
      'phone_key',
      (r) => {
        r.approval.key = (JSON.parse(bobs) as GrantReceipt).approval.key;
      },
    ],
    ['no enrollment of the key', 'record', (r) => withOwnTree(r as unknown as Receipt, key, (lines) => lines.slice(1))],
    [
      'a signature before the key',
      'record',
      (r) => withOwnTree(r as unknown as Receipt, key, (lines) => lines.reverse()),
    ],
    ['an issue before the signature', 'time', (r) => Object.assign(r, { issued_at: '2020-01-01T00:00:00.000Z' })],
    ['the type of an order’s receipt', 'form', (r) => Object.assign(r, { type: 'trade-agent.receipt' })],
  ])('is refused with %s: %s', async (_, fault, forge) => {
    const text = await byThief(forge);
    expect(await faultOf(text)).toBe(fault);
    if (hasPython) expect(pythonSays([text])).not.toEqual(['holds']);
  });

  it('is refused by both verifiers alike with any one value changed, and signed again', async () => {
    /** What only the gateway says: when it issued the receipt, and when the key signed. */
    const gatewaysWord = /^(issued_at|line\.signed\.at)$/;
    const known = mutantsOf(JSON.parse(mine) as Receipt, JSON.parse(bobs) as Receipt);
    const cases: { what: string; path: string; text: string }[] = [];
    for (const mutant of known) {
      const text = await mutantText(mine, key, [mutant]);
      if (text !== undefined) cases.push({ what: mutant.what, path: mutant.path, text });
    }
    expect(cases.length).toBeGreaterThan(500);
    const python = hasPython ? pythonSays(cases.map(({ text }) => text)) : undefined;
    const accepted: string[] = [];
    const disagreed: string[] = [];
    for (const [at, { what, path, text }] of cases.entries()) {
      const said = await faultOf(text);
      const other = python?.[at] ?? said;
      if ((said === 'holds') !== (other === 'holds')) disagreed.push(`${what}: ${said}, ${other}`);
      if (said === 'holds' && !gatewaysWord.test(path)) accepted.push(what);
    }
    console.info(
      `grant receipt mutants: ${cases.length}, ${accepted.length} accepted, ${disagreed.length} disagreements`,
    );
    expect({ accepted, disagreed }).toEqual({ accepted: [], disagreed: [] });
  });
});
