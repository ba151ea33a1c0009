// The program as test/crash runs it: built with failpoints (scripts/build.mjs --failpoints dist-failpoints).
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { main } = await import('../../dist-failpoints/main.js');
await main(process.argv.slice(2));
