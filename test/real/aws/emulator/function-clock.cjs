// Loaded before a function (NODE_OPTIONS): Date follows the clock of the emulator.
const { openSync, readSync } = require('node:fs');
const file = process.env.MLMON_EMULATOR_CLOCK;
if (file !== undefined) {
  const descriptor = openSync(file, 'r');
  const bytes = Buffer.alloc(20);
  const RealDate = Date;
  const realNow = Date.now;
  const now = () => realNow() + Number(bytes.toString('latin1', 0, readSync(descriptor, bytes, 0, 20, 0)));
  globalThis.Date = class EmulatedDate extends RealDate {
    constructor(...given) {
      if (given.length === 0) super(now());
      else super(...given);
    }
    static now() {
      return now();
    }
  };
}
