/** Recovery codes: for who has lost his second factor. Ten, once each. */
import { randomInt } from 'node:crypto'

const HOW_MANY = 10
/** Crockford's: nothing in it looks like something else. */
const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz'

/** 50 bits each: `7k2mf-q9x0d`. */
export const newRecoveryCodes = (): string[] =>
  Array.from({ length: HOW_MANY }, () => {
    const letters = Array.from({ length: 10 }, () => LETTERS[randomInt(32)]).join('')
    return `${letters.slice(0, 5)}-${letters.slice(5)}`
  })

/** As it is compared: however somebody wrote it down. */
export const plainRecoveryCode = (said: string): string =>
  said.toLowerCase().replace(/[\s-]/g, '').replace(/o/g, '0').replace(/[il]/g, '1').slice(0, 64)
