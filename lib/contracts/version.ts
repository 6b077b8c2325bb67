/** Version of the package and of the engine: results name it, since statistics are a function of it. A test compares it with package.json. */
export const version = '0.1.0';
