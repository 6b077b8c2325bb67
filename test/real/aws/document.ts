/** Code of a document, as its reader would copy it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CHECKOUT } from '../programs.ts';

export class Document {
  readonly #path: string;
  readonly #text: string;
  readonly #blocks: readonly { readonly language: string; readonly code: string }[];

  private constructor(
    path: string,
    text: string,
    blocks: readonly { readonly language: string; readonly code: string }[],
  ) {
    this.#path = path;
    this.#text = text;
    this.#blocks = blocks;
  }

  static async read(path: string): Promise<Document> {
    const text = await readFile(join(CHECKOUT, path), 'utf8');
    const blocks = [...text.matchAll(/```(\w+)\n([\s\S]*?)```/g)];
    return new Document(
      path,
      text,
      blocks.map(([, language = '', code = '']) => ({ language, code })),
    );
  }

  /** The one block of a language that has this in it. */
  code(language: string, containing = ''): string {
    const found = this.#blocks.filter((block) => block.language === language && block.code.includes(containing));
    if (found.length !== 1)
      throw new Error(`${this.#path}: ${found.length} blocks of ${language} with ${JSON.stringify(containing)}`);
    return found[0]!.code;
  }

  /** The one piece of code within a sentence that begins with this. */
  line(beginning: string): string {
    const found = [...this.#text.matchAll(/`([^`\n]+)`/g)]
      .map(([, code = '']) => code)
      .filter((code) => code.startsWith(beginning));
    if (found.length !== 1) throw new Error(`${this.#path}: ${found.length} pieces of code begin with ${beginning}`);
    return found[0]!;
  }
}
