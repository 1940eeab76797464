/** A password from the terminal, which does not show it, or from whatever stdin is. */

/** Characters. */
const LONGEST = 1_024

export async function readPassword(question: string): Promise<string> {
  const isTerminal = process.stdin.isTTY === true
  if (isTerminal) {
    process.stderr.write(question)
    process.stdin.setRawMode(true)
  }
  try {
    let said = ''
    for await (const part of process.stdin) {
      for (const character of String(part)) {
        if (character === '\n' || character === '\r' || character === '\u0004') return said
        if (character === '\u0003') process.exit(130)
        if (character === '\u007f' || character === '\b') said = said.slice(0, -1)
        else if (said.length < LONGEST) said += character
      }
    }
    return said
  } finally {
    if (isTerminal) {
      process.stdin.setRawMode(false)
      process.stderr.write('\n')
    }
    process.stdin.pause()
  }
}
