/** Lists of addresses and ranges (`10.0.0.0/8`, `fd00::/8`), read once and asked often. */
import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6

export class Ranges {
  readonly #ranges: readonly [Address, number][]

  /** @throws Error where one is none: the configuration is checked before */
  constructor(said: readonly string[]) {
    this.#ranges = said.map((one) => {
      const [address, bits] = one.includes('/') ? ipaddr.parseCIDR(one) : [ipaddr.parse(one), undefined]
      const plain = unmapped(address)
      // A mapped range (`::ffff:10.0.0.0/104`) is one of IPv4.
      const shift = plain === address ? 0 : 96
      return [plain, bits === undefined ? plain.toByteArray().length * 8 : Math.max(0, bits - shift)]
    })
  }

  /** @param address undefined: whoever's address nobody knows is in no list */
  has(address: string | undefined): boolean {
    if (address === undefined || !ipaddr.isValid(address)) return false
    const own = unmapped(ipaddr.parse(address))
    return this.#ranges.some(([range, bits]) => range.kind() === own.kind() && own.match(range, bits))
  }
}

/** `::ffff:10.0.0.1` is 10.0.0.1: else a list of IPv4 ranges would not hold on a socket of both kinds. */
function unmapped(address: Address): Address {
  return address.kind() === 'ipv6' && (address as ipaddr.IPv6).isIPv4MappedAddress()
    ? (address as ipaddr.IPv6).toIPv4Address()
    : address
}

/** An address as it is compared and counted by; undefined where it is none. */
export function plainAddress(said: string): string | undefined {
  // Some proxies write `1.2.3.4:5678` and `[::1]:5678`.
  const address = said.replace(/^\[(.+)\](:\d+)?$/, '$1').replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
  return ipaddr.isValid(address) ? unmapped(ipaddr.parse(address)).toString() : undefined
}
