import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

const scripts = new URL('../../../scripts/bundle/', import.meta.url);
const { checkPins, installedVersion, pins, requirePin } = (await import(new URL('pins.mjs', scripts).href)) as {
  checkPins(installed: (name: string) => string): void;
  installedVersion(root: string, name: string): string;
  pins: readonly { package: string; version: string; why: string }[];
  requirePin(name: string): void;
};
const { leanDependencies } = (await import(new URL('lean-dependencies.mjs', scripts).href)) as {
  leanDependencies(installed: (name: string) => string): { name: string; setup(): void };
};

const root = new URL('../../..', import.meta.url).pathname;
const installed = (name: string) => installedVersion(root, name);
const withOther = (other: string) => (name: string) => (name === other ? '99.0.0' : installed(name));

describe('what is left out of a dependency', () => {
  it('was checked for the version that is installed', () => {
    expect(() => checkPins(installed)).not.toThrow();
  });

  it.each(pins)('has to be checked again for another $package', ({ package: name, version, why }) => {
    const check = () => checkPins(withOther(name));
    expect(check).toThrow(`${name} 99.0.0 is installed, ${version} was checked. Look whether ${why}.`);
    expect(check).toThrow('Where that holds, change the version in scripts/bundle/pins.mjs');
  });

  it('stops the build until then', async () => {
    const built = build({
      stdin: { contents: '' },
      write: false,
      logLevel: 'silent',
      plugins: [leanDependencies(withOther('zod'))],
    });
    await expect(built).rejects.toThrow('zod 99.0.0 is installed');
  });

  it('cannot be of a package whose version nobody looked at', () => {
    expect(() => requirePin('left-pad')).toThrow('left-pad has no version in scripts/bundle/pins.mjs');
  });
});
