// Preloaded by start-up.test.ts: appends the address of each file the program loads to the file LOADED_FILES names.
import fs from 'node:fs';
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

const log = (url) => fs.appendFileSync(process.env.LOADED_FILES, `${url}\n`);

registerHooks({
  load(url, context, nextLoad) {
    log(url);
    return nextLoad(url, context);
  },
});

// The program loads its own chunks (src/cli/start/bundle-loader.ts).
const { readFileSync } = fs;
fs.readFileSync = (file, ...rest) => {
  const url = file instanceof URL ? file.href : pathToFileURL(String(file)).href;
  if (url.endsWith('.cjs')) log(url);
  return readFileSync(file, ...rest);
};
