/** Defaults of the platform on one machine, stated once. */

/** Port of the page, the JSON interface and the collector. */
export const DEFAULT_PORT = 7007;
/** Only this machine. Any other address needs a token. */
export const DEFAULT_HOST = '127.0.0.1';
/** Where the platform keeps everything, below the current folder. */
export const DEFAULT_DATA = '.mlmon';
/** Least real time that a simulated day of the demonstration takes, milliseconds. */
export const DEMONSTRATION_PACE = 900;
