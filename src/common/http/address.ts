/** Where a connection comes from, as far as our own proxies wrote X-Forwarded-For. */
export function clientAddress(header: string | string[] | undefined, remote: string, trustedHops: number): string {
  const forwarded = String(header ?? '').split(',');
  const chain = [...forwarded.map((one) => one.trim()).filter(Boolean), remote];
  return chain[Math.max(0, chain.length - 1 - trustedHops)]!;
}
