/** Words near something that say what it is. */

/** Characters before a number in which its name may stand. */
const REACH = 48

/** Whether one of these words stands shortly before. @param words matched as they are written, in small letters */
export const hasCue = (text: string, at: number, words: RegExp, reach = REACH): boolean =>
  words.test(text.slice(Math.max(0, at - reach), at).toLowerCase())
