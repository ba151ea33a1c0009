import { bundleScripts } from '../../src/home/phone/page/browser-scripts.ts';

/** Replaces src/home/phone/page/browser-scripts.ts, which bundles the browser scripts, with the finished scripts. */
export function browserScriptsAsText() {
  return {
    name: 'browser-scripts',
    setup(build) {
      build.onLoad({ filter: /\/src\/home\/phone\/page\/browser-scripts\.ts$/ }, () => ({
        contents: `const scripts = ${JSON.stringify(bundleScripts().scripts)};\nexport const getBrowserScripts = () => scripts;`,
        loader: 'js',
      }));
    },
  };
}

/** Returns esbuild's metafile outputs of these scripts, for THIRD_PARTY_NOTICES. */
export function browserPackages() {
  return bundleScripts().metafile.outputs;
}
