import { Script } from 'node:vm';
import { describe, expect, it } from 'vitest';

const { chunkAsFunction, withoutIdleNames } = (await import(
  new URL('../../../scripts/bundle/chunk-functions.mjs', import.meta.url).href
)) as { chunkAsFunction(code: string): Promise<string>; withoutIdleNames(code: string): string };

/** What a chunk exports, given what others do. */
async function run(code: string, others: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const text = await chunkAsFunction(code);
  const module = { exports: {} as Record<string, unknown> };
  const require = (name: string) => others[name];
  new Script(text).runInThisContext()(module.exports, require, module, 'file:///a.cjs');
  return module.exports;
}

describe('a chunk as a function', () => {
  it('sees another chunk’s variable as it is now, as an import does', async () => {
    const other = { __esModule: true, n: 1 };
    const { read } = await run('import{n}from"./b.cjs";export const read=()=>n;', { './b.cjs': other });
    other.n = 2;
    expect((read as () => number)()).toBe(2);
  });

  it('loads another chunk later', async () => {
    const { later } = await run('export const later=()=>import("./b.cjs").then(b=>b.n);', {
      './b.cjs': { __esModule: true, n: 3 },
    });
    expect(await (later as () => Promise<number>)()).toBe(3);
  });

  it('is strict, and knows its address', async () => {
    const { url, strict } = await run(
      'export const url=import.meta.url;export const strict=(function(){return this===undefined})();',
    );
    expect([url, strict]).toEqual(['file:///a.cjs', true]);
  });

  it('is plain ASCII, and means the same', async () => {
    const code = 'export const texts=["“é”",`日本`];export const wide=/[“”😀]/u.test("😀");';
    expect(await chunkAsFunction(code)).toMatch(/^[\0-\x7f]*$/);
    expect(await run(code)).toMatchObject({ texts: ['“é”', '日本'], wide: true });
  });

  it('cannot wait while it loads', async () => {
    await expect(chunkAsFunction('export const a=await 1;')).rejects.toThrow('Top-level await');
  });
});

describe('names that need not be given', () => {
  it.each([
    ['function a(){}__name(a,"a");b()', 'function a(){}b()'],
    ['function a(){}__name(a,"a");function c(){}__name(c,"c");', 'function a(){}function c(){}'],
    ['var A=class extends B{static{__name(this,"A")}c=1}', 'var A=class extends B{c=1}'],
    ['class A{static{__name(this,"A")}}', 'class A{}'],
  ])('%s', (code, expected) => {
    expect(withoutIdleNames(code)).toBe(expected);
  });

  it.each([
    'function a2(){}__name(a2,"a");',
    'var A=class A2{static{__name(this,"A")}}',
    'let f=__name(()=>1,"f");',
    'return __name(a,"a"),a',
  ])('leaves %s', (code) => {
    expect(withoutIdleNames(code)).toBe(code);
  });
});
