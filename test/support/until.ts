/**
 * Waits until something holds; asks again and again, for at most two minutes (a busy machine is slow) unless told
 * otherwise.
 * @param what it is, for the error; a function is asked then
 */
export async function until<Value>(
  ask: () => Value | Promise<Value>,
  what: string | (() => string) = String(ask),
  ms = 120_000,
): Promise<NonNullable<Value>> {
  const deadline = Date.now() + ms;
  for (;;) {
    const value = await ask();
    if (value) return value;
    if (Date.now() > deadline) {
      throw new Error(`It did not come to this: ${typeof what === 'string' ? what : what()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
