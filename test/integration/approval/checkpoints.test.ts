import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exportAuditLog, verifyAuditLog } from '../../../src/app/gateway/gateway-record.ts';
import { createCheckpointReader } from '../../../src/approval/checkpoints/checkpoint-reader.ts';
import { createCheckpointWriter } from '../../../src/approval/checkpoints/checkpoints.ts';
import { createTimeStampAuthority } from '../../../src/approval/checkpoints/time-stamp-authority.ts';
import { verifyTimeStampToken } from '../../../src/approval/checkpoints/time-stamp-token.ts';
import { createTreeSigner, parseCheckpoint, signCheckpoint } from '../../../src/approval/receipts/checkpoint.ts';
import { deriveReceiptKey, type ReceiptKey } from '../../../src/approval/receipts/receipt-key.ts';
import type { AuditExportHeader } from '../../../src/gateway/record/audit-export.ts';
import { readCertificates } from '../../../src/net/certificate-file.ts';
import { GrowingTree, leafHash } from '../../../src/store/merkle-tree.ts';
import { createSqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import { hasOpenssl, startTimeStampServer, type TimeStampServer } from './time-stamp-server.ts';

type Line = Record<string, unknown>;
/** An exported record. */
interface Exported {
  readonly header: AuditExportHeader;
  readonly lines: readonly string[];
}

const DAY_MS = 86_400_000;
const gateway = 'https://gateway.example';
const SEAL = 's'.repeat(43);
const folder = mkdtempSync(join(tmpdir(), 'trade-agent-checkpoints-'));
afterAll(() => rmSync(folder, { recursive: true }));

const [key, other] = await Promise.all([deriveReceiptKey(SEAL), deriveReceiptKey('of a thief')]);

const { signal } = new AbortController();
const nobody = () => Promise.reject(new Error('nobody is asked'));
const app = { env: {}, profile: nobody, fetch: nobody as unknown as typeof fetch, signal };

/** A gateway's record over some days, by a clock of its own that ends today. */
async function recordOver(days: number, options: { authority?: TimeStampServer; by?: ReceiptKey } = {}) {
  const home = mkdtempSync(join(folder, 'gateway-'));
  writeFileSync(join(home, 'seal.key'), SEAL, { mode: 0o600 });
  const database = new Database(join(home, 'gateway.db'));
  database.pragma('synchronous = OFF');
  const { audit, checkpoints: store } = createSqliteGatewayStores(database);
  let now = Date.now() - days * DAY_MS;
  const said: string[] = [];
  const { authority, by = key } = options;
  const sequence = () => audit.sequence(createTreeSigner(by, gateway), true);
  const checkpoints = createCheckpointWriter({
    ...{ store, gateway, sequence, key: Promise.resolve(by) },
    ...(authority && {
      anchor: async () =>
        createTimeStampAuthority({
          ...{ url: authority.url, fetch, trusted: await readCertificates(authority.ca) },
        }),
    }),
    clock: {
      now: () => now,
      monotonic: () => now,
      sleep: () => Promise.reject(new Error('nothing waits here')),
    },
    onError: (message) => said.push(message),
  });
  const note = (proposal: string) => audit.note({ event: 'proposed', facts: { proposal } }, now);
  for (let day = 0; day <= days; day++, now += DAY_MS) {
    await checkpoints.check();
    for (const order of ['a', 'b']) await note(`pr_${day}${order}`);
    await sequence();
  }
  now -= DAY_MS;
  const here = { home, config: join(home, 'none.yaml') };
  let count = 0;
  return {
    ...{ home, database, checkpoints, store, said, here, audit, sequence },
    advance(ms: number) {
      now += ms;
    },
    /** Verifies it in its database. */
    inPlace: (more: Parameters<typeof verifyAuditLog>[2] = {}) => verifyAuditLog(app, here, more),
    async exported(day?: string): Promise<Exported> {
      const file = join(home, `export-${count++}.jsonl`);
      await exportAuditLog(app, here, { day, to: file });
      const [header = '', ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
      return { header: JSON.parse(header), lines };
    },
    /** Writes a copy, and verifies it with nothing but a key. */
    verify: ({ header, lines }: Exported, more: Parameters<typeof verifyAuditLog>[2] = {}) => {
      const copy = join(home, 'copy.jsonl');
      writeFileSync(copy, [JSON.stringify(header), ...lines].map((line) => `${line}\n`).join(''));
      return verifyAuditLog(app, here, { file: copy, key: by.jwk.kid, ...more });
    },
  };
}

/** What a thief of the key does: changes lines, and signs each tree again. */
function resigned({ header, lines }: Exported, change: (line: Line) => Line, by = key): Exported {
  const changed = lines.map((text) => JSON.stringify(change(JSON.parse(text) as Line)));
  const roots = new Map<number, Buffer>();
  const tree = new GrowingTree();
  for (const line of changed) {
    tree.add(leafHash(line));
    roots.set(tree.size, tree.root());
  }
  const checkpoints = header.checkpoints.map((note) => {
    const { origin, size, day } = parseCheckpoint(note) ?? { origin: '', size: 0 };
    return signCheckpoint(by, { origin, size, day, root: roots.get(size) ?? Buffer.alloc(32) });
  });
  return { header: { ...header, checkpoints }, lines: changed };
}
const anchored = ({ lines }: Exported) => lines.filter((line) => (JSON.parse(line) as Line).event === 'anchored');

describe('a record’s checkpoints', () => {
  it('vouch for nothing where there is no line: an empty record is an error', async () => {
    const { home, here, inPlace } = await recordOver(-1);
    await expect(inPlace()).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('is empty'),
      hint: expect.stringContaining('backup'),
    });
    const file = join(home, 'empty.jsonl');
    writeFileSync(file, '');
    await expect(verifyAuditLog(app, here, { file, key: key.jwk.kid })).rejects.toMatchObject({ code: 'usage' });
  });

  it('close each day that is over, once, in the database and in a copy, which holds by the pinned key alone', async () => {
    const { checkpoints, exported, verify, inPlace, store } = await recordOver(3);
    await checkpoints.check();
    expect(await store.list()).toHaveLength(3);
    const whole = {
      ok: true,
      lines: 8,
      pending: 0,
      signed: { checkpoints: 3, last: { size: 8 }, anchors: { count: 0 } },
    };
    expect(await inPlace()).toMatchObject(whole);
    expect(await verify(await exported())).toMatchObject(whole);
  });

  it('close days on which nothing ran by one at the next start', async () => {
    const { checkpoints, store, advance } = await recordOver(1);
    advance(5 * DAY_MS);
    await checkpoints.check();
    await checkpoints.check();
    expect(await store.list()).toHaveLength(2);
  });

  it('have a day in a file of its own, which holds without the days before', async () => {
    const { exported, verify, store } = await recordOver(4);
    for (const { day, size } of await store.list()) {
      const one = await exported(day);
      expect(one.lines).toHaveLength(2);
      expect(await verify(one)).toMatchObject({ ok: true, lines: size });
      expect(await verify({ ...one, lines: one.lines.toReversed() })).toMatchObject({ ok: false, what: 'checkpoint' });
      expect(await verify({ ...one, lines: one.lines.slice(1) })).toMatchObject({ ok: false, what: 'removed' });
      expect(await verify({ ...one, lines: [...one.lines, one.lines[0] ?? ''] })).toMatchObject({
        ok: false,
        what: 'added',
      });
      const { header } = one;
      if (header.after === 0) continue;
      const proof = [Buffer.alloc(32, 1).toString('base64'), ...header.consistency.slice(1)];
      expect(await verify({ ...one, header: { ...header, consistency: proof } })).toMatchObject({
        ok: false,
        what: 'checkpoint',
      });
      expect(await verify({ ...one, header: { ...header, after: header.after - 1 } })).toMatchObject({ ok: false });
    }
    await expect(exported('2020-01-01')).rejects.toMatchObject({ code: 'usage' });
  });

  it('show in a copy a line that was changed, taken out or added, though no hash is with it', async () => {
    const { exported, verify } = await recordOver(2);
    const { header, lines } = await exported();
    const changed = lines.with(0, (lines[0] ?? '').replace('pr_0a', 'pr_x'));
    expect(await verify({ header, lines: changed })).toMatchObject({ ok: false, what: 'checkpoint', line: 2 });
    expect(await verify({ header, lines: lines.toSpliced(3, 1) })).toMatchObject({
      ok: false,
      what: 'checkpoint',
      line: 4,
    });
    expect(await verify({ header, lines: lines.slice(0, -1) })).toMatchObject({ ok: false, what: 'removed', line: 6 });
    expect(await verify({ header, lines: [...lines, '{}'] })).toMatchObject({ ok: false, what: 'added', line: 7 });
  });

  it.each<[string, string, string]>([
    [
      'a line that was changed',
      `UPDATE record_lines SET line = replace(line, 'pr_1a', 'pr_x') WHERE leaf = 2`,
      'changed',
    ],
    ['a line that was taken out', 'DELETE FROM record_lines WHERE leaf = 2', 'removed'],
    ['a line that was added', `INSERT INTO record_lines (leaf, line) VALUES (6, '{}')`, 'added'],
    [
      'two lines in each other’s place',
      'UPDATE record_lines SET leaf = CASE leaf WHEN 2 THEN -3 ELSE -2 END WHERE leaf IN (2, 3); UPDATE record_lines SET leaf = -leaf WHERE leaf < 0',
      'changed',
    ],
    ['a hash that was changed', 'UPDATE record_tiles SET hashes = zeroblob(length(hashes))', 'changed'],
    [
      'a checkpoint of other lines',
      `UPDATE record_checkpoints SET checkpoint = replace(checkpoint, char(10) || size || char(10), char(10) || '3' || char(10))`,
      'signer',
    ],
    ['a tree that is said to be smaller', 'UPDATE record_tree SET size = 4', 'checkpoint'],
  ])('show %s in the database', async (_, change, what) => {
    const { database, inPlace } = await recordOver(2);
    expect(await inPlace()).toMatchObject({ ok: true });
    database.exec(change);
    expect(await inPlace()).toMatchObject({ ok: false, what });
  });

  it('show lines that were rewritten with every hash after them, by someone without the key', async () => {
    const { database, inPlace, audit } = await recordOver(2);
    database.exec(`UPDATE record_lines SET line = replace(line, 'pr_1a', 'pr_x'); UPDATE record_lines SET leaf = NULL;
      UPDATE record_tree SET size = 0; DELETE FROM record_tiles`);
    const before = await audit.tree();
    await audit.sequence(createTreeSigner(other, gateway), true);
    expect(await inPlace()).toMatchObject({ ok: false, what: 'signer' });
    database.prepare('UPDATE record_tree SET checkpoint = ?').run(before.checkpoint);
    expect(await inPlace()).toMatchObject({ ok: false, what: 'checkpoint' });
  });

  it('show each byte of one that was changed', async () => {
    const { exported, verify } = await recordOver(1);
    const { header, lines } = await exported();
    const [note = '', ...rest] = header.checkpoints;
    for (let byte = 0; byte < note.length; byte += 3) {
      const text = `${note.slice(0, byte)}${note[byte] === 'a' ? 'b' : 'a'}${note.slice(byte + 1)}`;
      const changed = { header: { ...header, checkpoints: [text, ...rest] }, lines };
      expect(await verify(changed), `byte ${byte}`).toMatchObject({ ok: false });
    }
  });

  it('by another key are nobody’s', async () => {
    const { verify, exported, inPlace } = await recordOver(1, { by: other });
    expect(await inPlace()).toMatchObject({ ok: false, what: 'signer' });
    const copy = await exported();
    const { kty, crv, x } = other.jwk;
    expect(await verify(copy, { key: key.jwk.kid })).toMatchObject({ ok: false, what: 'signer' });
    expect(await verify({ ...copy, header: { ...copy.header, keys: [{ kty, crv, x }] } })).toMatchObject({ ok: true });
  });

  it('of two gateways are no one record', async () => {
    const { exported, verify } = await recordOver(2);
    const { header, lines } = await exported();
    const [first = '', ...rest] = header.checkpoints;
    const head = parseCheckpoint(first);
    if (head === undefined) throw new Error('there is none');
    const moved = signCheckpoint(key, { ...head, origin: 'https://other.example' });
    const changed = { header: { ...header, checkpoints: [moved, ...rest] }, lines };
    expect(await verify(changed)).toMatchObject({ ok: false, what: 'checkpoint' });
  });

  it('of a sandbox hold by what it signs with', async () => {
    const { home, database, inPlace } = await recordOver(1, { by: await deriveReceiptKey('of the sandbox') });
    database.close();
    rmSync(join(home, 'seal.key'));
    writeFileSync(join(home, 'seed.json'), JSON.stringify({ gateway_key: { d: 'of the sandbox' } }));
    expect(await inPlace()).toMatchObject({ ok: true, signed: { checkpoints: 1 } });
  });

  it('that somebody kept show a record that was cut off before them, or replaced', async () => {
    const { home, exported, verify, inPlace, store } = await recordOver(3);
    const last = await store.last();
    const whole = await exported();
    const [short] = await store.list();
    const earlier = await exported(short?.day);
    const kept = {
      note: join(home, 'note.txt'),
      printed: join(home, 'printed.json'),
      receipt: join(home, 'receipt.json'),
    };
    writeFileSync(kept.note, last?.checkpoint ?? '');
    writeFileSync(kept.printed, JSON.stringify(await inPlace()));
    writeFileSync(kept.receipt, JSON.stringify({ checkpoint: last?.checkpoint }));
    for (const checkpoint of Object.values(kept)) {
      expect(await inPlace({ checkpoint })).toMatchObject({ ok: true });
      expect(await verify(whole, { checkpoint })).toMatchObject({ ok: true });
      expect(await verify(earlier)).toMatchObject({ ok: true });
      expect(await verify(earlier, { checkpoint })).toMatchObject({ ok: false, what: 'kept' });
    }
    const another = await recordOver(4);
    expect(await another.inPlace()).toMatchObject({ ok: true });
    expect(await another.inPlace({ checkpoint: kept.note })).toMatchObject({ ok: false, what: 'kept' });
    writeFileSync(kept.note, '{}');
    await expect(inPlace({ checkpoint: kept.note })).rejects.toMatchObject({ code: 'usage' });
  });

  it('that somebody kept must have a witness’s signature, where one is asked for', async () => {
    const { home, inPlace, store } = await recordOver(2);
    const note = (await store.last())?.checkpoint ?? '';
    const checkpoint = join(home, 'note.txt');
    const { witness, cosigned } = await cosignedBy('witness.example/w1', note);
    writeFileSync(checkpoint, note);
    await expect(inPlace({ checkpoint, witness })).rejects.toMatchObject({ code: 'usage' });
    writeFileSync(checkpoint, cosigned);
    expect(await inPlace({ checkpoint, witness })).toMatchObject({ ok: true });
    writeFileSync(checkpoint, (await cosignedBy('witness.example/w1', note)).cosigned);
    await expect(inPlace({ checkpoint, witness })).rejects.toMatchObject({ code: 'usage' });
    await expect(inPlace({ checkpoint, witness: 'nobody' })).rejects.toMatchObject({ code: 'usage' });
  });
});

/** A note with a witness's signature (C2SP tlog-cosignature), by a key of its own. */
async function cosignedBy(name: string, note: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const typed = Buffer.concat([Buffer.of(4), Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')]);
  const id = createHash('sha256')
    .update(Buffer.concat([Buffer.from(`${name}\n`), typed]))
    .digest()
    .subarray(0, 4);
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(1_764_000_000n);
  const text = note.slice(0, note.lastIndexOf('\n\n') + 1);
  const made = sign(null, Buffer.from(`cosignature/v1\ntime 1764000000\n${text}`), privateKey);
  const line = `— ${name} ${Buffer.concat([id, time, made]).toString('base64')}\n`;
  return { witness: `${name}+${id.toString('hex')}+${typed.toString('base64')}`, cosigned: `${note}${line}` };
}

describe.skipIf(!hasOpenssl)('a time-stamp authority (OpenSSL; skipped where there is none)', () => {
  let authority: TimeStampServer;
  beforeAll(async () => {
    authority = await startTimeStampServer();
  });
  afterAll(() => authority?.close());
  let sound: TimeStampServer['answer'];
  beforeEach(() => {
    sound = authority.answer;
  });
  afterEach(() => {
    authority.answer = sound;
  });
  const ca = () => ({ authorityCa: authority.ca });

  it.each(['rsa', 'ec'] as const)('with a key of %s says when each day was closed', async (algorithm) => {
    const one = algorithm === 'rsa' ? authority : await startTimeStampServer(algorithm);
    const { exported, said, verify, inPlace } = await recordOver(2, { authority: one });
    const copy = await exported();
    expect(said).toEqual([]);
    expect(one.asked).toContain('application/timestamp-query');
    expect(anchored(copy)).toHaveLength(2);
    expect(await inPlace({ authorityCa: one.ca })).toMatchObject({ ok: true, signed: { anchors: { count: 2 } } });
    const found = await verify(copy, { authorityCa: one.ca });
    expect(found).toMatchObject({
      ok: true,
      signed: { anchors: { count: 2, unvouched: 0, late: 0, last: { by: 'A test authority' } } },
    });
    // Nobody here has heard of it: told, and no more.
    expect(await verify(copy)).toMatchObject({ ok: true, signed: { anchors: { count: 2, unvouched: 2 } } });
    if (one !== authority) await one.close();
  });

  it('gives a token that no changed byte has say something else', async () => {
    const { exported, verify } = await recordOver(1, { authority });
    const copy = await exported();
    const line = JSON.parse(anchored(copy)[0] ?? '') as { token: string; checkpoint_hash: string };
    const [token, digest] = [Buffer.from(line.token, 'base64url'), Buffer.from(line.checkpoint_hash, 'hex')];
    const trusted = await readCertificates(authority.ca);
    const says = await verifyTimeStampToken(token, digest, trusted);
    let refused = 0;
    for (let byte = 0; byte < token.length; byte++) {
      const changed = Buffer.from(token);
      changed[byte] = (changed[byte] ?? 0) ^ 0x01;
      // A few bytes are of no consequence in CMS, as the list of digests before the content.
      const found = await verifyTimeStampToken(changed, digest, trusted).catch(() => undefined);
      if (found === undefined) refused += 1;
      else expect(found, `byte ${byte}`).toEqual(says);
    }
    expect(refused).toBeGreaterThan(token.length * 0.8);
    const other = resigned(copy, (one) =>
      one.event === 'anchored' ? { ...one, token: token.subarray(0, -1).toString('base64url') } : one,
    );
    expect(await verify(other, ca())).toMatchObject({ ok: false, what: 'anchor' });
  });

  it.each<[string, (line: Line) => Line]>([
    ['another time', (line) => ({ ...line, time: '2026-01-01T00:00:00.000Z' })],
    ['another checkpoint', (line) => ({ ...line, size: 1 })],
    ['another kind', (line) => ({ ...line, anchor: 'toString' })],
    ['no token', (line) => ({ ...line, token: '' })],
  ])('vouches for nothing by a line with %s', async (_, change) => {
    const { exported, verify } = await recordOver(1, { authority });
    const changed = resigned(await exported(), (line) => (line.event === 'anchored' ? change(line) : line));
    expect(await verify(changed, ca())).toMatchObject({ ok: false, what: 'anchor' });
  });

  it('that is another than was named is not believed', async () => {
    const stranger = await startTimeStampServer();
    const { inPlace } = await recordOver(1, { authority });
    expect(await inPlace({ authorityCa: stranger.ca })).toMatchObject({
      ok: false,
      what: 'anchor',
    });
    await stranger.close();
  });

  it('shows a past that who has the key makes again: its stamp is of today', async () => {
    const { inPlace } = await recordOver(1, { authority });
    // A week of the past, signed by the gateway's own key, stamped now.
    const made = await recordOver(6, { authority });
    const found = await made.inPlace(ca());
    expect(found).toMatchObject({ ok: true, signed: { anchors: { count: 6 } } });
    expect(found.signed?.anchors.late).toBeGreaterThan(0);
    expect((await inPlace(ca())).signed?.anchors.late).toBe(0);
  });

  it.each<[string, () => ReturnType<TimeStampServer['answer']>]>([
    ['is down', () => ({ status: 503, body: Buffer.alloc(0) })],
    ['says nonsense', () => ({ status: 200, body: Buffer.from('nonsense') })],
    ['answers without end', () => ({ status: 200, body: Buffer.alloc(10_000_000) })],
    // A TimeStampResp that says: rejection (RFC 3161 §2.4.2).
    ['refuses', () => ({ status: 200, body: Buffer.from('30053003020102', 'hex') })],
  ])('that %s stops nothing, and is asked again', async (_, answer) => {
    authority.answer = answer;
    const { checkpoints, store, said, advance, inPlace, sequence } = await recordOver(1, { authority });
    expect(said).toEqual([expect.stringContaining('time-stamping the audit log failed and will be retried')]);
    expect(await inPlace()).toMatchObject({ ok: true, signed: { checkpoints: 1, anchors: { count: 0 } } });
    authority.answer = sound;
    await checkpoints.check();
    expect((await store.last())?.anchored).toBe(false);
    advance(60_000);
    await checkpoints.check();
    expect((await store.last())?.anchored).toBe(true);
    await sequence();
    expect(await inPlace(ca())).toMatchObject({ signed: { anchors: { count: 1 } } });
  });

  it('is not believed with an answer to another question, though it signed it', async () => {
    let first: Buffer | undefined;
    authority.answer = (query) => {
      first ??= sound(query).body;
      return { status: 200, body: first };
    };
    const digest = Buffer.alloc(32, 1);
    const trusted = await readCertificates(authority.ca);
    const anchor = createTimeStampAuthority({ url: authority.url, fetch, trusted });
    await anchor.attest(digest, signal);
    await expect(anchor.attest(digest, signal)).rejects.toThrow('the token belongs to a different request');
    await expect(anchor.attest(Buffer.alloc(32, 2), signal)).rejects.toThrow('the token is for a different digest');
  });

  it('is believed by whoever has its root, and is for one digest alone', async () => {
    const trusted = await readCertificates(authority.ca);
    const anchor = createTimeStampAuthority({ url: authority.url, fetch, trusted });
    const digest = Buffer.alloc(32, 3);
    const { token } = await anchor.attest(digest, signal);
    expect(await verifyTimeStampToken(token, digest, trusted)).toMatchObject({ isTrusted: true });
    expect(await verifyTimeStampToken(token, digest, [])).toMatchObject({ isTrusted: false });
    await expect(verifyTimeStampToken(token, Buffer.alloc(32), trusted)).rejects.toThrow(
      'the token is for a different digest',
    );
  });
});

it('a reader believes nobody that it was not told of', async () => {
  const { store } = await recordOver(1);
  const { checkpoint = '' } = (await store.last()) ?? {};
  expect(createCheckpointReader({ keys: [] }).open([checkpoint])).toEqual({ what: 'signer', size: 2 });
});
