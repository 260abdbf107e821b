/** Waits until something holds; asks again and again, for at most 10 s. */
export async function until<Value>(ask: () => Value | Promise<Value>, what = String(ask)): Promise<NonNullable<Value>> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const value = await ask();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`It did not come to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
