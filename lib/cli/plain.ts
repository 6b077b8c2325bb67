/** Text from data on a terminal: control characters could move the cursor or change colours, so they are shown, not sent. */
export function plain(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
