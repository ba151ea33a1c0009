import { Script } from 'node:vm';
import { describe, expect, it } from 'vitest';

const { chunksAsFunctions } = (await import(
  new URL('../../../scripts/bundle/chunk-functions.mjs', import.meta.url).href
)) as { chunksAsFunctions(chunks: { path: string; text: string }[]): Promise<{ text: string }[]> };

type Exports = Record<string, unknown>;

/** esbuild's chunks hand the helper around as any other export; here each has its own. */
const NAME_HELPER = 'var __name=(f,value)=>Object.defineProperty(f,"name",{value,configurable:!0});';

async function convert(...codes: string[]): Promise<string[]> {
  const chunks = codes.map((text, index) => ({ path: `/dist/${'abc'[index]}.cjs`, text }));
  return (await chunksAsFunctions(chunks)).map(({ text }) => text);
}

/** What the first of these chunks exports; the others are `./b.cjs` and `./c.cjs`. */
async function run(...codes: string[]): Promise<Exports> {
  const texts = await convert(...codes);
  const loaded = new Map<string, Exports>();
  const load = (name: string): Exports => {
    const module = { exports: loaded.get(name) ?? {} };
    if (loaded.has(name)) return module.exports;
    const text = texts['abc'.indexOf(name.charAt(2))];
    if (text === undefined) return process.getBuiltinModule(name) as Exports;
    new Script(text).runInThisContext()(module.exports, load, module, `file:///${name.slice(2)}`);
    loaded.set(name, module.exports);
    return module.exports;
  };
  return load('./a.cjs');
}

describe('a chunk as a function', () => {
  it('has the variables of another chunk, under the names it gives them', async () => {
    const { sum } = await run(
      'import{one as two,n}from"./b.cjs";import"./c.cjs";export{sum};function sum(){return two()+n}',
      'var n=40;function one(){return 2}export{one,n};',
      'export{};',
    );
    expect((sum as () => number)()).toBe(42);
  });

  it('passes on what another chunk exports', async () => {
    const { z } = await run(
      'import{y}from"./b.cjs";export{y as z};',
      'import{x}from"./c.cjs";export{x as y};',
      'var x=3;export{x};',
    );
    expect(z).toBe(3);
  });

  it.each([
    ['assigned', 'function set(v){n=v}'],
    ['counted up', 'function set(v){while(n!==v)n++}'],
    ['taken out of an array', 'function set(v){[n]=[v]}'],
    ['a loop’s', 'function set(v){for(n of [v]);}'],
  ])('sees another chunk’s variable as it is now, where it is %s later', async (_, set) => {
    const { read, set: change } = await run(
      'import{m,set}from"./b.cjs";export{read,set};const read=()=>m;',
      'import{n as m,set}from"./c.cjs";export{m,set};',
      `let n=1;${set}export{n,set};`,
    );
    (change as (v: number) => void)(2);
    expect((read as () => number)()).toBe(2);
  });

  it('loads another chunk later', async () => {
    const { later, all } = await run(
      'export{later,all};const later=()=>import("./b.cjs").then(b=>b.n);const all=()=>import("./c.cjs");',
      'const n=3;export{n};',
      'export default 4;',
    );
    expect(await (later as () => Promise<number>)()).toBe(3);
    expect(await (all as () => Promise<unknown>)()).toEqual({ default: 4 });
  });

  it('has Node’s modules', async () => {
    const { path, later } = await run(
      'import{sep as s}from"node:path";export{s as path,later};const later=()=>import("node:os");',
    );
    expect(['/', '\\']).toContain(path);
    expect(await (later as () => Promise<Exports>)()).toHaveProperty('tmpdir');
  });

  it('is strict, and knows its address', async () => {
    const { url, strict } = await run(
      'const url=import.meta.url;const strict=(function(){return this===undefined})();export{url,strict};',
    );
    expect([url, strict]).toEqual(['file:///a.cjs', true]);
  });

  it('is plain ASCII, and means the same', async () => {
    const code = 'const texts=["“é”",`日本`];const wide=/[“”😀]/u.test("😀");export{texts,wide};';
    expect((await convert(code))[0]).toMatch(/^[\0-\x7f]*$/);
    expect(await run(code)).toMatchObject({ texts: ['“é”', '日本'], wide: true });
  });

  it('leaves new.target alone, and refuses what the loader does not give', async () => {
    const { Odd } = await run('class Odd{constructor(){this.at=new.target.prototype}}export{Odd};');
    const Class = Odd as new () => { at: unknown };
    expect(new Class().at).toBe(Class.prototype);
    await expect(convert('var d=import.meta.dirname;export{d};')).rejects.toThrow('import.meta');
  });

  it('cannot wait while it loads', async () => {
    await expect(convert('const a=await 1;export{a};')).rejects.toThrow(/await/);
  });

  it('cannot be one of two that import each other', async () => {
    await expect(
      convert('import{b}from"./b.cjs";export{a};var a=b;', 'import{a}from"./a.cjs";export{b};var b=a;'),
    ).rejects.toThrow('chunks import each other: ./a.cjs → ./b.cjs → ./a.cjs');
  });
});

describe('names that need not be given', () => {
  it.each([
    ['function a(){}__name(a,"a");a()', 'function a(){}a();'],
    ['function a(){}__name(a,"a");function c(){}__name(c,"c");', 'function a(){}function c(){}'],
    ['a(),__name(b,"b"),c(),__name(d,"d"),__name(e,"e");', 'a(),c();'],
    ['__name(b,"b"),__name(d,"d"),e();', 'e();'],
    ['var A=class extends B{static{__name(this,"A")}c=1}', 'var A=class extends B{c=1};'],
    ['class A{static{__name(this,"A")}}', 'class A{}'],
    ['let f=__name(()=>1,"f");', 'let f=()=>1;'],
    ['let o={f:__name(function(){},"f")};', 'let o={f:function(){}};'],
    ['f=__name(async()=>{await __name(()=>1,"g")},"f");', 'f=async()=>{await __name(()=>1,"g")};'],
  ])('%s', async (code, expected) => {
    expect(await convert(code)).toEqual([`(function(exports,require,module,__url){"use strict";${expected}\n\n})`]);
  });

  it.each([
    ['function f(){}', 'f2', 'function f2(){}__name(f2,"f");export{f2};'],
    ['class A2', 'A', 'const A=class A2{static{__name(this,"A")}};export{A};'],
    ['x.f', 'f', 'const x={};x.f=__name(()=>1,"f");const{f}=x;export{f};'],
    ['[f]', 'f', 'const[f]=[__name(()=>1,"f")];export{f};'],
  ])('are given where they differ: %s', async (_, as, code) => {
    const exported = await run(NAME_HELPER + code);
    expect((exported[as] as { name: string }).name).toBe(as.replace('2', ''));
  });
});
