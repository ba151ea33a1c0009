// Preloaded by start-up.test.ts: appends the address of each file the program loads to the file LOADED_FILES names.
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

registerHooks({
  load(url, context, nextLoad) {
    appendFileSync(process.env.LOADED_FILES, `${url}\n`);
    return nextLoad(url, context);
  },
});
