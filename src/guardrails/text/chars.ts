/** What characters are, by a table: for scans that look at each of them once. */

const OTHER = 0
const LETTER = 1
const DIGIT = 2
/** Begins or joins something that is looked for: `@`, `:`. */
export const MARK = 4

const TABLE = new Uint8Array(128)
for (let code = 48; code <= 57; code++) TABLE[code] = DIGIT
for (let code = 65; code <= 90; code++) TABLE[code] = TABLE[code + 32] = LETTER
TABLE[64] = TABLE[58] = MARK

/** Of ASCII; whatever else there is is OTHER. */
export const classOf = (code: number): number => (code < 128 ? (TABLE[code] as number) : OTHER)

export const isAlnum = (code: number): boolean => code < 128 && ((TABLE[code] as number) & (LETTER | DIGIT)) !== 0
export const HAS_LETTER = LETTER
export const HAS_DIGIT = DIGIT
