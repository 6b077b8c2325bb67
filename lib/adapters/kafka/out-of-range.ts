/** The offset asked for is not in the log any more, or not yet. */
export class OutOfRangeError extends Error {
  override readonly name = 'OutOfRangeError';
}
