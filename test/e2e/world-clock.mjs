// Preloaded (NODE_OPTIONS=--import) into every process of a test's world: the time of day is what the file named in
// WORLD_CLOCK says, as JSON {world, real, rate}: at the real instant `real` it is `world`, and it goes `rate` times as
// fast. So a week is played in seconds by the program as it is shipped.
import { readFileSync } from 'node:fs';
import { ServerResponse } from 'node:http';

const RealDate = Date;
const file = process.env.WORLD_CLOCK;

function now() {
  const { world, real, rate } = JSON.parse(readFileSync(file, 'utf8'));
  return Math.floor(world + (RealDate.now() - real) * rate);
}

globalThis.Date = class WorldDate extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(now());
    else super(...parts);
  }

  static now() {
    return now();
  }
};

// Node writes the header `Date` by a clock of its own; who compares it with the world's would find the two apart.
const { writeHead } = ServerResponse.prototype;
ServerResponse.prototype.writeHead = function (...parts) {
  if (!this.headersSent && !this.hasHeader('date')) this.setHeader('date', new Date().toUTCString());
  return writeHead.apply(this, parts);
};
