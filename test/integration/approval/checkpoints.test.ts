import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { verifyAuditLog } from '../../../src/app/gateway/gateway-record.ts';
import { AuditChain } from '../../../src/approval/audit-chain.ts';
import { createCheckpointReader } from '../../../src/approval/checkpoints/checkpoint-reader.ts';
import { createCheckpointWriter } from '../../../src/approval/checkpoints/checkpoints.ts';
import { createTimeStampAuthority } from '../../../src/approval/checkpoints/time-stamp-authority.ts';
import { verifyTimeStampToken } from '../../../src/approval/checkpoints/time-stamp-token.ts';
import { deriveReceiptKey, type ReceiptKey } from '../../../src/approval/receipts/receipt-key.ts';
import { readCertificates } from '../../../src/net/certificate-file.ts';
import { hashAuditEntry } from '../../../src/store/audit.ts';
import { createSqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import { hasOpenssl, startTimeStampServer, type TimeStampServer } from './time-stamp-server.ts';

type Line = Record<string, unknown>;

const DAY_MS = 86_400_000;
const gateway = 'https://gateway.example';
const folder = mkdtempSync(join(tmpdir(), 'trade-agent-checkpoints-'));
afterAll(() => rmSync(folder, { recursive: true }));

const [key, other] = await Promise.all([deriveReceiptKey('of the gateway'), deriveReceiptKey('of a thief')]);

/** A gateway's record over some days, by a clock of its own that ends today. */
async function recordOver(days: number, options: { authority?: TimeStampServer; by?: ReceiptKey } = {}) {
  const home = mkdtempSync(join(folder, 'gateway-'));
  const file = join(home, 'audit.jsonl');
  const database = new Database(join(home, 'gateway.db'));
  database.pragma('synchronous = OFF');
  const { audit, checkpoints: store } = createSqliteGatewayStores(database);
  let now = Date.now() - days * DAY_MS;
  const said: string[] = [];
  const { authority } = options;
  const checkpoints = createCheckpointWriter({
    ...{ store, gateway, key: Promise.resolve(options.by ?? key) },
    ...(authority && {
      anchor: async () =>
        createTimeStampAuthority({
          ...{ url: authority.url, fetch, trusted: await readCertificates(authority.ca) },
        }),
    }),
    flush: () => new AuditChain(file, audit).flush(),
    clock: {
      now: () => now,
      monotonic: () => now,
      sleep: () => Promise.reject(new Error('nothing waits here')),
    },
    onError: (message) => said.push(message),
  });
  const note = (proposal: string) => audit.note({ event: 'proposed', facts: { proposal } }, now);
  const lines = () => readFileSync(file, 'utf8').trimEnd().split('\n');
  for (let day = 0; day <= days; day++, now += DAY_MS) {
    await checkpoints.check();
    for (const order of ['a', 'b']) await note(`pr_${day}${order}`);
    await audit.moveToFile(file);
  }
  now -= DAY_MS;
  return {
    ...{ home, file, database, checkpoints, store, said, lines },
    advance(ms: number) {
      now += ms;
    },
    /** Writes a copy, and verifies it with nothing but a key. */
    verify: (changed: readonly string[] = lines(), more: Parameters<typeof verifyAuditLog>[2] = {}) => {
      const copy = join(home, 'copy.jsonl');
      writeFileSync(copy, changed.map((line) => `${line}\n`).join(''));
      return verifyAuditLog(app, places, { file: copy, key: key.jwk.kid, ...more });
    },
  };
}
const { signal } = new AbortController();
const nobody = () => Promise.reject(new Error('nobody is asked'));
const app = { env: {}, profile: nobody, fetch: nobody as unknown as typeof fetch, signal };
const places = { home: folder, config: join(folder, 'none.yaml') };

/** What a thief without the key does: changes lines, and makes every hash after them again. */
function rechained(lines: readonly string[], change: (line: Line) => Line | undefined): string[] {
  let prev = '0'.repeat(64);
  let seq = 0;
  return lines.flatMap((text) => {
    const line = change(JSON.parse(text) as Line);
    if (line === undefined) return [];
    const { hash: _, ...rest }: Line = { ...line, seq: ++seq, prev };
    prev = hashAuditEntry(rest);
    return [JSON.stringify({ ...rest, hash: prev })];
  });
}
const eventOf = (text: string) => (JSON.parse(text) as Line).event;
const of = (event: string, lines: readonly string[]) => lines.filter((line) => eventOf(line) === event);

describe('a record’s checkpoints', () => {
  it('close each day that is over, once, and a copy holds by the pinned key alone', async () => {
    const { checkpoints, lines, verify } = await recordOver(3);
    await checkpoints.check();
    expect(of('checkpoint', lines())).toHaveLength(3);
    const day = new Date(Date.now() - DAY_MS).toISOString().slice(0, 10);
    expect(await verify()).toMatchObject({
      ok: true,
      lines: 11,
      signed: { checkpoints: 3, last: { day }, anchors: { count: 0 } },
    });
  });

  it('close days on which nothing ran by one line at the next start', async () => {
    const { checkpoints, lines, advance } = await recordOver(1);
    advance(5 * DAY_MS);
    await checkpoints.check();
    await checkpoints.check();
    expect(of('checkpoint', lines())).toHaveLength(2);
  });

  it('show a line that was rewritten with every hash after it made again', async () => {
    const { lines, verify } = await recordOver(2);
    const changed = rechained(lines(), (line) => (line.seq === 1 ? { ...line, proposal: 'pr_x' } : line));
    expect(await verify(changed)).toMatchObject({ ok: false, what: 'checkpoint', line: 3 });
  });

  it('show one that was taken out, all after it made again', async () => {
    const { lines, verify } = await recordOver(3);
    const [first] = of('checkpoint', lines());
    const { seq } = JSON.parse(first ?? '') as Line;
    const changed = rechained(lines(), (line) => (line.seq === seq ? undefined : line));
    expect(await verify(changed)).toMatchObject({ ok: false, what: 'checkpoint' });
  });

  it('show each byte of one that was changed', async () => {
    const { lines, verify } = await recordOver(1);
    const at = lines().findIndex((line) => eventOf(line) === 'checkpoint');
    const text = lines()[at] ?? '';
    for (let byte = 0; byte < text.length; byte += 7) {
      const changed = lines().with(
        at,
        `${text.slice(0, byte)}${text[byte] === 'a' ? 'b' : 'a'}${text.slice(byte + 1)}`,
      );
      expect(await verify(changed), `byte ${byte}`).toMatchObject({ ok: false });
    }
  });

  it.each(['gateway', 'day', 'lines', 'head', 'previous', 'signature'])(
    'sign their %s: with another, and the hash made again, they are none',
    async (member) => {
      const { lines, verify } = await recordOver(1);
      const others: Line = {
        ...{ gateway: 'https://other.example', day: '2020-01-01', lines: 7 },
        ...{
          head: 'a'.repeat(64),
          previous: 'a'.repeat(64),
          signature: { protected: 'e30', signature: 'AA' },
        },
      };
      const changed = rechained(lines(), (line) =>
        line.event === 'checkpoint' ? { ...line, [member]: others[member] } : line,
      );
      expect(await verify(changed)).toMatchObject({ ok: false, what: 'checkpoint' });
    },
  );

  it('by another key are nobody’s', async () => {
    const { verify } = await recordOver(1, { by: other });
    expect(await verify()).toMatchObject({ ok: false, what: 'signer' });
    expect(await verify(undefined, { key: other.jwk.kid })).toMatchObject({ ok: true });
  });

  it('of two gateways are no one record', async () => {
    const { lines, verify } = await recordOver(2);
    const moved = rechained(lines(), (line) => line);
    expect(await verify(moved)).toMatchObject({ ok: true });
    const [first, second] = of('checkpoint', moved).map((line) => JSON.parse(line));
    const payload = { ...second, gateway: 'https://other.example' };
    const { createCheckpointSigner } = await import('../../../src/approval/receipts/checkpoint.ts');
    const { facts } = createCheckpointSigner(
      key,
      payload.gateway,
      payload.day,
    )({ seq: payload.seq - 1, hash: payload.prev }, first.hash);
    const changed = rechained(lines(), (line) => (line.seq === second.seq ? { ...line, ...facts } : line));
    expect(await verify(changed)).toMatchObject({ ok: false, what: 'checkpoint', seq: second.seq });
  });

  it('at the gateway’s machine hold by its own key, and its database knows of what was cut off the end', async () => {
    const { home, file, lines, database } = await recordOver(2, { by: await deriveReceiptKey('s'.repeat(43)) });
    database.close();
    const here = { home, config: join(home, 'none.yaml') };
    expect(await verifyAuditLog(app, here, {})).toMatchObject({ ok: false, what: 'signer' });
    writeFileSync(join(home, 'seal.key'), 's'.repeat(43), { mode: 0o600 });
    expect(await verifyAuditLog(app, here, {})).toMatchObject({ ok: true, signed: { checkpoints: 2 } });
    const cut = lines().slice(
      0,
      lines().findLastIndex((line) => eventOf(line) === 'checkpoint'),
    );
    writeFileSync(file, cut.map((line) => `${line}\n`).join(''));
    expect(await verifyAuditLog(app, here, {})).toMatchObject({ ok: false, what: 'removed' });
  });

  it('of a sandbox hold by what it signs with', async () => {
    const { home, database } = await recordOver(1, { by: await deriveReceiptKey('of the sandbox') });
    database.close();
    writeFileSync(join(home, 'seed.json'), JSON.stringify({ gateway_key: { d: 'of the sandbox' } }));
    const here = { home, config: join(home, 'none.yaml') };
    expect(await verifyAuditLog(app, here, {})).toMatchObject({ ok: true, signed: { checkpoints: 1 } });
  });

  it('that somebody kept show a record that was cut off before them, or replaced', async () => {
    const { home, lines, verify } = await recordOver(3);
    const at = lines().findLastIndex((line) => eventOf(line) === 'checkpoint');
    const kept = { line: join(home, 'line.json'), printed: join(home, 'printed.json') };
    writeFileSync(kept.line, lines()[at] ?? '');
    writeFileSync(kept.printed, JSON.stringify(await verify()));
    const receipt = join(home, 'receipt.json');
    writeFileSync(receipt, JSON.stringify({ record: [lines()[0], lines()[at]] }));
    for (const checkpoint of [kept.line, kept.printed, receipt]) {
      expect(await verify(undefined, { checkpoint })).toMatchObject({ ok: true });
      expect(await verify(lines().slice(0, at))).toMatchObject({ ok: true });
      expect(await verify(lines().slice(0, at), { checkpoint })).toMatchObject({ ok: false, what: 'kept' });
    }
    writeFileSync(kept.line, '{}');
    await expect(verify(undefined, { checkpoint: kept.line })).rejects.toMatchObject({ code: 'usage' });
  });
});

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
    const { lines, said, verify } = await recordOver(2, { authority: one });
    expect(said).toEqual([]);
    expect(one.asked).toContain('application/timestamp-query');
    expect(of('anchored', lines())).toHaveLength(2);
    const found = await verify(undefined, { authorityCa: one.ca });
    expect(found).toMatchObject({
      ok: true,
      signed: { anchors: { count: 2, unvouched: 0, late: 0, last: { by: 'A test authority' } } },
    });
    // Nobody here has heard of it: told, and no more.
    expect(await verify()).toMatchObject({ ok: true, signed: { anchors: { count: 2, unvouched: 2 } } });
    if (one !== authority) await one.close();
  });

  it('gives a token that no changed byte has say something else', async () => {
    const { lines, verify } = await recordOver(1, { authority });
    const at = lines().findIndex((line) => eventOf(line) === 'anchored');
    const line = JSON.parse(lines()[at] ?? '') as { token: string; checkpoint_hash: string };
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
    const cut = lines().with(at, JSON.stringify({ ...line, token: line.token.replace(/^./, 'A') }));
    expect(await verify(cut, ca())).toMatchObject({ ok: false, what: 'changed', line: at + 1 });
    const other = rechained(lines(), (one) =>
      one.event === 'anchored' ? { ...one, token: token.subarray(0, -1).toString('base64url') } : one,
    );
    expect(await verify(other, ca())).toMatchObject({ ok: false, what: 'anchor' });
  });

  it.each<[string, (line: Line) => Line]>([
    ['another time', (line) => ({ ...line, time: '2026-01-01T00:00:00.000Z' })],
    ['another checkpoint', (line) => ({ ...line, checkpoint: 1 })],
    ['another kind', (line) => ({ ...line, anchor: 'toString' })],
    ['no token', (line) => ({ ...line, token: '' })],
  ])('vouches for nothing by a line with %s', async (_, change) => {
    const { lines, verify } = await recordOver(1, { authority });
    const changed = rechained(lines(), (line) => (line.event === 'anchored' ? change(line) : line));
    expect(await verify(changed, ca())).toMatchObject({ ok: false, what: 'anchor' });
  });

  it('that is another than was named is not believed', async () => {
    const stranger = await startTimeStampServer();
    const { verify } = await recordOver(1, { authority });
    expect(await verify(undefined, { authorityCa: stranger.ca })).toMatchObject({
      ok: false,
      what: 'anchor',
    });
    await stranger.close();
  });

  it('shows a past that who has the key makes again: its stamp is of today', async () => {
    const { lines, verify, database } = await recordOver(1, { authority });
    database.close();
    // A week of the past, signed by the gateway's own key, stamped now.
    const made = await recordOver(6, { authority });
    const day = (text: string) => (JSON.parse(text) as Line).day;
    expect(day(made.lines().find((line) => eventOf(line) === 'checkpoint') ?? '')).not.toBe(
      day(lines().find((line) => eventOf(line) === 'checkpoint') ?? ''),
    );
    const found = await made.verify(undefined, ca());
    expect(found).toMatchObject({ ok: true, signed: { anchors: { count: 6 } } });
    expect(found.signed?.anchors.late).toBeGreaterThan(0);
    expect((await verify(undefined, ca())).signed?.anchors.late).toBe(0);
  });

  it.each<[string, () => ReturnType<TimeStampServer['answer']>]>([
    ['is down', () => ({ status: 503, body: Buffer.alloc(0) })],
    ['says nonsense', () => ({ status: 200, body: Buffer.from('nonsense') })],
    ['answers without end', () => ({ status: 200, body: Buffer.alloc(10_000_000) })],
    // A TimeStampResp that says: rejection (RFC 3161 §2.4.2).
    ['refuses', () => ({ status: 200, body: Buffer.from('30053003020102', 'hex') })],
  ])('that %s stops nothing, and is asked again', async (_, answer) => {
    authority.answer = answer;
    const { checkpoints, store, said, advance, verify } = await recordOver(1, { authority });
    expect(said).toEqual([expect.stringContaining('time-stamping the audit log failed and will be retried')]);
    expect(await verify()).toMatchObject({ ok: true, signed: { checkpoints: 1, anchors: { count: 0 } } });
    authority.answer = sound;
    await checkpoints.check();
    expect((await store.last())?.anchored).toBe(false);
    advance(60_000);
    await checkpoints.check();
    expect((await store.last())?.anchored).toBe(true);
    expect(await verify(undefined, ca())).toMatchObject({
      signed: { anchors: { count: 1 } },
    });
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
  const { lines } = await recordOver(1);
  const line = JSON.parse(lines().find((text) => eventOf(text) === 'checkpoint') ?? '') as Line;
  expect(await createCheckpointReader({ isTrusted: () => false }).check(line)).toBe('signer');
});
