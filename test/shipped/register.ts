// Preloaded into the processes that the integration tests start from the source, so that these too run what is shipped.
import { registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { shippedModule } from './modules.ts';

registerHooks({
  resolve(specifier, context, next) {
    const { parentURL = '' } = context;
    const importer = parentURL.startsWith('file:') ? fileURLToPath(parentURL) : import.meta.filename;
    const found = shippedModule(specifier, importer);
    return next(found === undefined ? specifier : pathToFileURL(found).href, context);
  },
});
