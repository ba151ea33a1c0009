import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditNote } from '../../../src/store/audit.ts';
import type { RuleChange, RuleStore } from '../../../src/store/rule-store.ts';
import { type OpenStores, openForEach } from './gateway-factory.ts';

/** What every store promises about whether there were limits. */
export function limitsStoreContract(open: OpenStores): void {
  const opened = openForEach(open);

  describe('whether there were limits', () => {
    it('is no at first, and yes once they were seen, however often', async () => {
      const { limits } = opened.stores;
      expect(await limits.hadLimits()).toBe(false);
      await limits.remember(1000);
      await limits.remember(1000);
      expect(await limits.hadLimits()).toBe(true);
      expect(await opened.another().limits.hadLimits()).toBe(true);
    });

    it('is forgotten where their owner wants none', async () => {
      const { limits } = opened.stores;
      await limits.forget();
      await limits.remember(1000);
      await limits.forget();
      expect(await limits.hadLimits()).toBe(false);
      await limits.remember(1000);
      expect(await limits.hadLimits()).toBe(true);
    });
  });
}

interface OpenedRuleStore {
  readonly store: RuleStore;
  /** Another process's store over the same rules. */
  readonly another: RuleStore;
  /** Events in the audit log, where the store writes them itself. */
  readonly noted: () => Promise<readonly string[]>;
}

const note = (n: number): AuditNote => ({ event: 'rules_tightened', facts: { sub: 'alice', n } });
const own = (symbol: string) =>
  `@id("own") forbid (principal, action, resource) when { context.order.symbol == "${symbol}" };\n`;

/** What a store of the gateway's rules promises, be it a folder or a database. */
export function ruleStoreContract(open: () => Promise<OpenedRuleStore>): void {
  let opened: OpenedRuleStore;
  let recorded: string[];
  const record = async ({ event }: AuditNote) => void recorded.push(event);
  const change = async (
    store: RuleStore,
    texts: RuleChange['texts'],
    { read, ...more }: Partial<RuleChange> & { readonly read?: string } = {},
  ) => await store.replace(read ?? (await store.version()), { texts, isLimited: true, ...more }, 1000, record);
  beforeEach(async () => {
    opened = await open();
    recorded = [];
  });

  it('has no texts at first', async () => {
    const { version, texts } = await opened.store.read();
    expect(texts).toEqual({});
    expect(await opened.store.version()).toBe(version);
  });

  it('changes some texts, deletes others, and keeps the rest, for every process', async () => {
    const { store, another } = opened;
    const texts = { 'limits.yaml': 'version: 1\n', 'policies/a.cedar': own('A'), 'policies/b.cedar': own('B') };
    expect(await change(store, texts)).toBe(true);
    expect((await another.read()).texts).toEqual(texts);
    expect(await change(another, { 'policies/a.cedar': null, 'policies/b.cedar': own('C') })).toBe(true);
    const now = await store.read();
    expect(now.texts).toEqual({ 'limits.yaml': 'version: 1\n', 'policies/b.cedar': own('C') });
    expect([await store.version(), await another.version()]).toEqual([now.version, now.version]);
  });

  it('has another version after each change', async () => {
    const { store, another } = opened;
    const versions = [await store.version()];
    for (const texts of [
      { 'limits.yaml': 'version: 1\n' },
      { 'policies/a.cedar': own('A') },
      { 'policies/a.cedar': own('B') },
      { 'policies/a.cedar': null, 'policies/b.cedar': own('B') },
      { 'policies/b.cedar': null },
    ]) {
      const before = await another.version();
      await change(store, texts);
      expect(await another.version()).not.toBe(before);
      versions.push(await another.version());
    }
    expect(new Set(versions.slice(0, 5)).size).toBe(5);
  });

  it('changes nothing, and notes nothing, where the texts are not those that were read', async () => {
    const { store, another } = opened;
    const read = await store.version();
    await change(another, { 'limits.yaml': 'version: 1\n' });
    expect(await change(store, { 'limits.yaml': '# lost\n' }, { read, note: note(1) })).toBe(false);
    expect((await store.read()).texts).toEqual({ 'limits.yaml': 'version: 1\n' });
    expect([...recorded, ...(await opened.noted())]).toEqual([]);
  });

  it('lets one of several changes at once through, with its note', async () => {
    const stores = [opened.store, opened.another, opened.store, opened.another];
    const read = await opened.store.version();
    const done = await Promise.all(
      stores.map((store, n) => change(store, { 'limits.yaml': `# ${n}\n` }, { read, note: note(n) })),
    );
    expect(done.filter(Boolean)).toHaveLength(1);
    expect((await opened.store.read()).texts).toEqual({ 'limits.yaml': `# ${done.indexOf(true)}\n` });
    expect([...recorded, ...(await opened.noted())]).toEqual(['rules_tightened']);
  });
}
