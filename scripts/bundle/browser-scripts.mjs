import { bundled } from '../../src/home/phone/page/browser-scripts.ts';

/** Puts the finished texts of what browsers load in the place of the source that would bundle them (src/home/phone/page/browser-scripts.ts). */
export function browserScriptsAsText() {
  return {
    name: 'browser-scripts',
    setup(build) {
      build.onLoad({ filter: /\/src\/home\/phone\/page\/browser-scripts\.ts$/ }, () => ({
        contents: `const scripts = ${JSON.stringify(bundled().scripts)};\nexport const browserScripts = () => scripts;`,
        loader: 'js',
      }));
    },
  };
}

/** The outputs of esbuild's metafile for these texts: whose code is in them is told in THIRD_PARTY_NOTICES. */
export function browserPackages() {
  return bundled().metafile.outputs;
}
