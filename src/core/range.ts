/** Whether a text is an address or a range of them (`10.0.0.0/8`, `fd00::/8`). */
import { isIP } from 'node:net'

export function isRange(said: string): boolean {
  const [address = '', bits, ...more] = said.split('/')
  const kind = isIP(address)
  if (kind === 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (kind === 4 ? 32 : 128))
}
