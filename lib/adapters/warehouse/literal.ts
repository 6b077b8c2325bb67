/** Constants of text that no engine reads in its own way. */

/** As a quoted constant when every engine reads that alike; else by its bytes, which `decoded` turns into text. */
export function textConstant(value: string, decoded: (hex: string) => string): string {
  return /^[\w .:,;/+#@=<>()-]*$/.test(value) ? `'${value}'` : decoded(hexOf(value));
}

/** UTF-8 bytes in hexadecimal, capitals. */
export function hexOf(value: string): string {
  return Buffer.from(value, 'utf8').toString('hex').toUpperCase();
}

/** The text of such bytes. */
export function textOfHex(hex: string): string {
  return Buffer.from(hex, 'hex').toString('utf8');
}
