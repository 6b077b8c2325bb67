/** The place where the token is entered. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { rememberToken } from '../data/client.ts';
import { refresh } from '../data/live.ts';

/** Asked for once; kept as long as the tab. */
export function TokenForm({ refused }: { readonly refused: boolean }): VNode {
  const [value, setValue] = useState('');
  return (
    <form
      class="token card"
      onSubmit={(event) => {
        event.preventDefault();
        if (value.trim() === '') return;
        rememberToken(value.trim());
        setValue('');
        void refresh();
      }}
    >
      <h2>This platform wants a token</h2>
      <p class="dialog-words">
        {refused
          ? 'The token was refused. Enter one that may read, and administer if you want to change anything.'
          : 'It was started with a token. The token is kept in this tab only and forgotten when you close it.'}
      </p>
      <label>
        Token
        <input
          type="password"
          value={value}
          autoComplete="off"
          required
          onInput={(event) => setValue(event.currentTarget.value)}
        />
      </label>
      <div class="dialog-actions">
        <button type="submit" class="primary">
          Continue
        </button>
      </div>
    </form>
  );
}
