/** Addresses in the order in which another machine should try them: loopback opens no door from there. */
export function loopbackLast(addresses: readonly string[]): string[] {
  const isLocal = (address: string) => address.includes('/127.0.0.1/') || address.includes('/::1/');
  return [...addresses.filter((address) => !isLocal(address)), ...addresses.filter(isLocal)];
}
