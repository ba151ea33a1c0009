import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readCompiledCode, writeCompiledCode } from '../../../../src/cli/start/compiled-code.ts';
import { folderOfTest } from '../../../folders.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = folderOfTest();
  file = join(folder, 'run.bin');
});

const code = () =>
  new Map([
    ['program.cjs', Buffer.from('compiled program')],
    ['chunk-A.cjs', Buffer.from([0, 10, 255])],
  ]);

describe('compiled code that is kept', () => {
  it('comes back as it was, in a file for its owner alone', () => {
    writeCompiledCode(file, 'build', code());
    expect(readCompiledCode(file, 'build')).toEqual(code());
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['run.bin']);
  });

  it('of another build or another Node is not used', () => {
    writeCompiledCode(file, 'build', code());
    expect(readCompiledCode(file, 'another')).toEqual(new Map());
    const text = readFileSync(file, 'latin1').replace(process.version, 'v1.2.3');
    writeFileSync(file, text, 'latin1');
    expect(readCompiledCode(file, 'build')).toEqual(new Map());
  });

  it('is not used when one bit of it has changed, or its end is missing', () => {
    writeCompiledCode(file, 'build', code());
    const whole = readFileSync(file);
    const changed = Buffer.from(whole);
    changed[whole.length - 1] = (whole.at(-1) as number) ^ 1;
    for (const damaged of [changed, whole.subarray(0, -1), whole.subarray(0, 40), Buffer.alloc(0)]) {
      writeFileSync(file, damaged);
      expect(readCompiledCode(file, 'build')).toEqual(new Map());
    }
  });

  it('is done without where it cannot be read or written', () => {
    expect(readCompiledCode(file, 'build')).toEqual(new Map());
    const nowhere = join(folder, 'missing', 'run.bin');
    writeCompiledCode(nowhere, 'build', code());
    expect(existsSync(nowhere)).toBe(false);
  });
});
