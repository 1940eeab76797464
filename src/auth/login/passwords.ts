/** Passwords of users who log in: argon2id, a few at a time, and no faster for a name that nobody has. */
import { randomBytes } from 'node:crypto'
import { Refusal } from '../../core/refusal.ts'
import { Turns } from '../turns.ts'

/** What a list of words finds at once is no password (NIST SP 800-63B asks for 8, and 15 where nothing else is asked). */
const SHORTEST = 12
const LONGEST = 1_024
const AT_ONCE = 4
const MOST_WAITING = 64

export class Passwords {
  readonly #turns = new Turns(AT_ONCE, MOST_WAITING)
  /** Of a password that nobody knows, checked for those who have none. Made when somebody first logs in. */
  #nobodys: Promise<string> | undefined

  hash(password: string): Promise<string> {
    return Bun.password.hash(password, 'argon2id')
  }

  /**
   * @param hash undefined: nobody has this name, which takes the same time
   * @param before what is to be asked when it is its turn: others may have failed meanwhile
   * @throws Refusal where too many are being checked, or `before` says so
   */
  async isRight(password: string, hash: string | undefined, before: () => Refusal | undefined): Promise<boolean> {
    this.#nobodys ??= this.hash(randomBytes(16).toString('hex'))
    const nobodys = await this.#nobodys
    const right = await this.#turns.take(async () => {
      const refused = before()
      if (refused) return refused
      const said = password.length > LONGEST || password.includes('\0') ? '' : password
      const same = await Bun.password.verify(said === '' ? ' ' : said, hash ?? nobodys)
      return same && hash !== undefined && said !== ''
    })
    if (right instanceof Refusal) throw right
    return right
  }
}

/** @throws Refusal invalid_request, where it is none to take */
export function checkNewPassword(password: string, userId: string): void {
  const fault =
    password.length < SHORTEST
      ? `must have ${SHORTEST} characters at least`
      : password.length > LONGEST
        ? `may have ${LONGEST} characters`
        : password.includes('\0')
          ? 'must not hold a NUL'
          : new Set(password).size < 5
            ? 'must be made of more than a few characters'
            : password.toLowerCase().includes(userId.toLowerCase()) && userId.length > 3
              ? "must not hold the user's name"
              : undefined
  if (fault) throw new Refusal('invalid_request', `password: ${fault}.`, { param: 'password' })
}
