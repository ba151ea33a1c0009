import { copyFileSync, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { openBundle } from '../../../../src/cli/start/bundle-loader.ts';
import { readCompiledCode } from '../../../../src/cli/start/compiled-code.ts';
import { folderOfTest } from '../../../folders.ts';

let folder: string;
let url: URL;
let compiled: string;
beforeEach(() => {
  folder = folderOfTest();
  url = pathToFileURL(`${folder}/`);
  compiled = join(folder, 'run.bin');
});

const chunk = (name: string, code: string) =>
  writeFileSync(join(folder, name), `(function(exports,require,module,__url){${code}\n})`);

describe('the program’s chunks', () => {
  it('are evaluated once each, and each other’s exports are theirs', () => {
    chunk('a.cjs', 'const b=require("./b.cjs");exports.sum=()=>b.next()+1;');
    chunk('b.cjs', 'let n=0;exports.next=()=>++n;');
    const bundle = openBundle(url, undefined, 'build');
    const { sum } = bundle.load('a.cjs') as { sum(): number };
    expect(sum()).toBe(2);
    expect((bundle.load('b.cjs') as { next(): number }).next()).toBe(2);
  });

  it('get Node’s modules and packages from Node, and know where they are', () => {
    chunk('a.cjs', 'exports.sep=require("node:path").sep;exports.url=__url;exports.resolve=require.resolve;');
    const a = openBundle(url, undefined, 'build').load('a.cjs') as Record<string, unknown>;
    expect(a.url).toBe(new URL('a.cjs', url).href);
    expect((a.resolve as (name: string) => string)('node:fs')).toBe('node:fs');
    expect(['/', '\\']).toContain(a.sep);
  });

  it('that fail to load say so each time, and name the file', () => {
    chunk('a.cjs', 'throw new Error("no")');
    const bundle = openBundle(url, undefined, 'build');
    expect(() => bundle.load('a.cjs')).toThrow('no');
    expect(() => bundle.load('a.cjs')).toThrow('no');
    expect(() => openBundle(url, undefined, 'build').load('b.cjs')).toThrow('b.cjs');
  });
});

describe('compiled code of the chunks', () => {
  beforeEach(() => {
    chunk(
      'a.cjs',
      'exports.run=(n)=>{let s="";for(let i=0;i<n;i++)s+=i;return s};exports.more=()=>require("./b.cjs");',
    );
    chunk('b.cjs', 'exports.b=1;');
  });

  it('is kept with the functions that ran', () => {
    // Of one name, V8 would still know what ran before.
    copyFileSync(join(folder, 'a.cjs'), join(folder, 'idle.cjs'));
    const bundle = openBundle(url, compiled, 'build');
    (bundle.load('a.cjs') as { run(n: number): string }).run(3);
    bundle.load('idle.cjs');
    bundle.storeCompiledCode();
    const bytes = (name: string) => readCompiledCode(compiled, 'build').get(name)?.length ?? 0;
    expect(bytes('a.cjs')).toBeGreaterThan(bytes('idle.cjs') + 50);
  });

  it('is written again only when a chunk was loaded that it does not have', () => {
    const first = openBundle(url, compiled, 'build');
    first.load('a.cjs');
    first.storeCompiledCode();
    rmSync(compiled);
    first.storeCompiledCode();
    expect(existsSync(compiled)).toBe(false);

    const second = openBundle(url, compiled, 'build');
    second.load('a.cjs');
    second.storeCompiledCode();
    const before = statSync(compiled).mtimeMs;
    const third = openBundle(url, compiled, 'build');
    third.load('a.cjs');
    third.storeCompiledCode();
    expect(statSync(compiled).mtimeMs).toBe(before);
    (third.load('a.cjs') as { more(): unknown }).more();
    third.storeCompiledCode();
    expect([...readCompiledCode(compiled, 'build').keys()]).toEqual(['a.cjs', 'b.cjs']);
  });

  it('is left alone where there is no folder for it', () => {
    const bundle = openBundle(url, undefined, 'build');
    bundle.load('a.cjs');
    expect(() => bundle.storeCompiledCode()).not.toThrow();
  });
});
