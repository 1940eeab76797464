/** Addresses of wallets, by the checksums that they carry: base58check (Bitcoin and kin), bech32 (BIP 173, 350), EIP-55's form. */
import { createHash } from 'node:crypto'

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

/** @param text 26 to 35 characters */
export function isBase58Address(text: string): boolean {
  if (text.length < 26 || text.length > 35) return false
  let value = 0n
  for (const char of text) {
    const at = BASE58.indexOf(char)
    if (at < 0) return false
    value = value * 58n + BigInt(at)
  }
  // A version of one byte, a hash of twenty, four of its checksum.
  const hex = value.toString(16)
  if (hex.length > 50) return false
  const bytes = Buffer.from(hex.padStart(50, '0'), 'hex')
  return sha256(sha256(bytes.subarray(0, 21)))
    .subarray(0, 4)
    .equals(bytes.subarray(21))
}

const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]
const WITNESS = new Set([1, 0x2bc830a3])

/** @param text small letters: `bc1…`, `tb1…`, `ltc1…` */
export function isBech32Address(text: string): boolean {
  const one = text.lastIndexOf('1')
  if (one < 1 || text.length < one + 7 || text.length > 90) return false
  let sum = 1
  const take = (value: number) => {
    const top = sum >>> 25
    sum = ((sum & 0x1ffffff) << 5) ^ value
    for (let bit = 0; bit < 5; bit++) if ((top >>> bit) & 1) sum ^= GENERATOR[bit] as number
  }
  for (let i = 0; i < one; i++) take(text.charCodeAt(i) >> 5)
  take(0)
  for (let i = 0; i < one; i++) take(text.charCodeAt(i) & 31)
  for (let i = one + 1; i < text.length; i++) {
    const at = BECH32.indexOf(text[i] as string)
    if (at < 0) return false
    take(at)
  }
  return WITNESS.has(sum >>> 0)
}

/** Ethereum: forty hexadecimal digits; in mixed case it carries EIP-55's check, which is not looked at (Keccak is not at hand). */
export const isEthereumAddress = (text: string): boolean => /^0x[0-9a-fA-F]{40}$/.test(text)
