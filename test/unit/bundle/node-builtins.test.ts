import { describe, expect, it } from 'vitest';

const { withoutBuiltinImports } = (await import(
  new URL('../../../scripts/bundle/node-builtins.mjs', import.meta.url).href
)) as { withoutBuiltinImports(code: string): string };

describe('Node’s modules in the bundle', () => {
  it.each([
    ['import{readFileSync}from"node:fs";x()', 'const{readFileSync}=globalThis.process.getBuiltinModule("node:fs");x()'],
    ['import{join as join2,sep}from"path";', 'const{join:join2,sep}=globalThis.process.getBuiltinModule("node:path");'],
    // It would look for itself.
    ['import process from"process";', 'const process=globalThis.process.getBuiltinModule("node:process");'],
    ['import fs from"fs";', 'const fs=globalThis.process.getBuiltinModule("node:fs");'],
    ['import*as os2 from"node:os";', 'const os2=globalThis.process.getBuiltinModule("node:os");'],
    [
      'import tty,{isatty}from"node:tty";',
      'const tty=globalThis.process.getBuiltinModule("node:tty");const{isatty}=globalThis.process.getBuiltinModule("node:tty");',
    ],
    ['import{default as url}from"node:url";', 'const url=globalThis.process.getBuiltinModule("node:url");'],
    [
      'import{text}from"node:stream/consumers";',
      'const{text}=globalThis.process.getBuiltinModule("node:stream/consumers");',
    ],
  ])('turns %s into a look-up', (code, expected) => {
    expect(withoutBuiltinImports(code)).toBe(expected);
  });

  it('puts the look-ups first, as imports are hoisted', () => {
    expect(withoutBuiltinImports('use(join);import{join}from"node:path";')).toBe(
      'const{join}=globalThis.process.getBuiltinModule("node:path");use(join);',
    );
  });

  it('looks for child_process only when a program is started', () => {
    expect(withoutBuiltinImports('import{spawn as spawn2,execFile}from"node:child_process";')).toBe(
      'const spawn2=(...args)=>globalThis.process.getBuiltinModule("node:child_process").spawn(...args);' +
        // util.promisify must find it as it is.
        'const{execFile}=globalThis.process.getBuiltinModule("node:child_process");',
    );
  });

  it.each([
    'import{a}from"./chunk-A.js";',
    'import Database from"better-sqlite3-multiple-ciphers";',
    'const text="see import{a}from\\"node:fs\\";";',
    'import("node:fs").then(x);',
  ])('leaves %s alone', (code) => {
    expect(withoutBuiltinImports(code)).toBe(code);
  });
});
