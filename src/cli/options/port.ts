import { InvalidArgumentError } from 'commander';

/** Reads a port from the command line; 0 stands for a free one. */
export function portUpTo(last: number): (text: string) => number {
  return (text) => {
    const port = Number(text);
    if (!/^\d+$/.test(text) || port > last) {
      throw new InvalidArgumentError(`A port is a whole number from 0 to ${last}.`);
    }
    return port;
  };
}
