/**
 * What a thread does last. The engine goes on compiling hot functions in the background, and a thread of Node 20 that ends meanwhile takes
 * the process with it (`NodePlatform::ForIsolate`: an assertion fails once the compiler asks for memory of a thread that is gone).
 */
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

/** Waits until nothing is compiled any more, where the engine lets itself be asked. */
export function settleCompiler(): void {
  try {
    setFlagsFromString('--allow-natives-syntax');
    new Script('%FinalizeOptimization()').runInThisContext();
  } catch {
    // An engine that has no such function compiles on, as it would have.
  } finally {
    setFlagsFromString('--no-allow-natives-syntax');
  }
}
