/** Apache's MD5 passwords (`$apr1$salt$digest`), as httpd.apache.org/docs/2.4/misc/password_encryptions.html names them. */
import { createHash } from 'node:crypto'

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const MAGIC = '$apr1$'
const ROUNDS = 1000

const md5 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('md5')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** The whole line's hash of a password. @param salt up to 8 characters */
export function apr1(password: string, salt: string): string {
  const word = Buffer.from(password)
  const grain = Buffer.from(salt.slice(0, 8))
  const inner = md5(word, grain, word)
  const parts: Uint8Array[] = [word, Buffer.from(MAGIC), grain]
  for (let left = word.length; left > 0; left -= 16) parts.push(inner.subarray(0, Math.min(16, left)))
  // By the bits of the length: a zero byte, or the first of the password.
  for (let bits = word.length; bits > 0; bits >>= 1) parts.push((bits & 1) === 1 ? Buffer.of(0) : word.subarray(0, 1))
  let digest = md5(...parts)
  for (let round = 0; round < ROUNDS; round++) {
    const turn: Uint8Array[] = [(round & 1) === 1 ? word : digest]
    if (round % 3 !== 0) turn.push(grain)
    if (round % 7 !== 0) turn.push(word)
    turn.push((round & 1) === 1 ? digest : word)
    digest = md5(...turn)
  }
  return `${MAGIC}${grain.toString()}$${written(digest)}`
}

/** Its own order of the bytes, six bits a character, the lowest first. */
function written(digest: Buffer): string {
  const at = (i: number): number => digest[i] as number
  let text = ''
  const put = (value: number, characters: number) => {
    for (let left = value, i = 0; i < characters; i++, left >>= 6) text += ALPHABET[left & 63]
  }
  for (let i = 0; i < 5; i++) put((at(i) << 16) | (at(i + 6) << 8) | at(i === 4 ? 5 : i + 12), 4)
  put(at(11), 2)
  return text
}
