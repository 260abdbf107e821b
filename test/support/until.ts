/** Waits until something holds; asks again and again, for at most 60 s unless told otherwise. */
export async function until<Value>(
  ask: () => Value | Promise<Value>,
  what = String(ask),
  ms = 60_000,
): Promise<NonNullable<Value>> {
  const deadline = Date.now() + ms;
  for (;;) {
    const value = await ask();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`It did not come to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
